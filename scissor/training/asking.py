"""What training asks: the evaluation's ten kinds, and what else a visitor may ask.

Knows questions about natural pictures, questions that no clip can answer, and careless typing.
Leaves the ten kinds to scenes/questions.py, their words to scenes/wordings.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from scissor.scenes.dice import Dice
from scissor.scenes.questions import KINDS, Question, ask
from scissor.scenes.scene import Actor, Scene
from scissor.scenes.wordings import NUMBERS, TEXTS, does, join, word_in
from scissor.training.album import Album
from scissor.training.render import GHOST
from scissor.training.shots import NOTHING, PERSONS, Shot

PLACE_TEXTS = (
    "Where is this?",
    "What place is this?",
    "What is in the background?",
    "where was this taken?",
)
FIRST_TEXTS = (
    "What happens first?",
    "What is there at the beginning?",
    "What do you see first?",
    "what is in the first frame?",
)
DOING_TEXTS = ("What {is} {the} doing?", "what {does} {the} do?", "What happens to {the}?")
WHO_TEXTS = ("Who is in the video?", "Who can you see?", "who is this?")
SOMEBODY_TEXTS = ("Is there a person in the video?", "is there any person?", "Do you see people?")
MANY_TEXTS = ("How many {s} are there?", "how many {s} do you see?", "Count the {s}.")
UNKNOWABLE = (
    "Who made this video?",
    "What is the name of the person?",
    "What time is it?",
    "When was this filmed?",
    "Why was this video made?",
    "What are they saying?",
    "What song is playing?",
    "What will happen next?",
    "What day is it?",
    "How much does it cost?",
    "Who is the owner?",
    "What is the capital of France?",
    "What is the address?",
    "Which year is it?",
    "Who is the director?",
    "What language do they speak?",
    "How long did it take?",
    "What happened before the video?",
    "Who won?",
    "What is this video about to teach?",
    "Is it a true story?",
    "Who is filming?",
    "What camera was used?",
    "What does it smell like?",
    "how old is {the}?",
    "Where was {the} bought?",
    "What is {the} called by its owner?",
    "Does {the} feel cold?",
    "What is {the} thinking?",
    "Who does {the} belong to?",
    "How heavy is {the}?",
)
CANNOT = "i can't tell from the video"
BLIND = "i can't tell the objects"
NO_IDEA = "i can't tell what it shows"
OUTDOORS = frozenset(
    ("sky", "mountains", "forest", "sunset", "night sky", "field", "sea", "beach", "lake", "swamp")
)
UNCOUNTED = ("wood", "water", "grass", "snow", "sand", "space", "underwater", "city")
EASY = frozenset(("colour", "motion", "exist", "where"))  # kinds that are mostly right by now
ANIMALS = 398  # ImageNet's first classes are animals


def questions(rng: Dice, album: Album, shot: Shot, count: int) -> list[Question]:
    """`count` questions of mixed kinds with sure answers."""
    if shot.cuts:
        return _about_film(rng, album, shot, count)
    if shot.photo >= 0:
        return _about_photograph(rng, album, album.photographs[shot.photo], count)
    if not shot.scene.actors or shot.scene.actors[0].picture == GHOST:
        return _about_view(rng, album, shot, count)
    kinds = [kind for kind in rng.shuffled(list(KINDS)) if kind not in EASY or rng.chance(0.5)]
    pool = [ask(kind, shot.scene, album.library, rng) for kind in kinds]
    asked = [question for question in pool if question]
    place = _place_of(album, shot)
    about = _about_place(rng, place) if place else None
    if about and rng.chance(0.25):
        asked.insert(0, about)
    if rng.chance(0.3):
        asked.insert(0, _absent(rng, album, shot))
    if rng.chance(0.5):
        asked.insert(0, _ordinary(rng, album, shot))
    if rng.chance(0.35):
        asked.insert(0, _unknowable(rng, album, shot))
    while len(asked) < count:
        kind = rng.choice(("exist", "motion", "where", "count", "describe", "list"))
        more = ask(kind, shot.scene, album.library, rng)
        asked += [more] if more else []
    return asked[:count]


def _about_place(rng: Dice, place: str) -> Question:
    return Question("place", rng.choice(PLACE_TEXTS), place, place)


def _place_of(album: Album, shot: Shot) -> str | None:
    if shot.photo >= 0 or shot.scene.background is None:
        return None
    place = album.library.backgrounds[shot.scene.background].scene
    return None if place in NOTHING else place


def _absent(rng: Dice, album: Album, shot: Shot) -> Question:
    """Whether an ImageNet class that the scene does not show is there; else all would be.

    ImageNet names some things by other words than ours: where an animal is shown no class of
    animals is called absent, nor any class that shares a word with a thing that is shown.
    """
    shown = [album.library.words[actor.name] for actor in shot.scene.actors]
    said = {part for word in shown for text in (word.name, *word.aliases) for part in text.split()}
    animal = any(word.topic not in _LIFELESS for word in shown)
    classes = album.classes[ANIMALS if animal else 0 :] or album.classes
    names = [name for name in classes if not said & set(name.split())]
    if not names:
        return _unknowable(rng, album, shot)
    name = rng.choice(names)
    text = word_in(rng.choice(TEXTS["exist"]), album.library.words[name])
    return Question("exist", text, "no", False, name)


_LIFELESS = frozenset(
    ("vehicles", "music", "clothes", "sport and play", "places", "sky", "food", "things")
)


def _ordinary(rng: Dice, album: Album, shot: Shot) -> Question:
    """One of the further kinds: what is first, what one thing does, how many, or unknowable."""
    scene, words = shot.scene, album.library.words
    actor = rng.choice(scene.actors)
    word = words[actor.name]
    kind = rng.below(5)
    if kind == 0:
        there = sorted((a for a in scene.actors if a.enter == 0), key=lambda a: a.start[0])
        if there:
            told = join(words[a.name].phrase for a in there)
            return Question("first", rng.choice(FIRST_TEXTS), told, told)
    if kind == 1:
        text = word_in(rng.choice(DOING_TEXTS), word)
        return Question("doing", text, does(word, actor.motion), actor.motion, actor.name)
    if kind in (2, 3) and word.single and not word.plural and not word.proper:
        number = sum(a.name == actor.name for a in scene.actors)
        text = rng.choice(MANY_TEXTS).format(s=plural(word.name))
        return Question("many", text, NUMBERS[number], number, actor.name)
    return _unknowable(rng, album, shot)


def _unknowable(rng: Dice, album: Album, shot: Shot) -> Question:
    text = rng.choice(UNKNOWABLE)
    names = [actor.name for actor in shot.scene.actors]
    if "{" in text:
        text = word_in(text, album.library.words[rng.choice(names)]) if names else UNKNOWABLE[0]
    return Question("unknown", text, CANNOT, CANNOT)


def plural(name: str) -> str:
    """A simple English plural: "dogs", "foxes", "cherries"."""
    if re.search(r"(s|x|z|ch|sh)$", name):
        return f"{name}es"
    return f"{name[:-1]}ies" if re.search(r"[^aeiou]y$", name) else f"{name}s"


def _about_photograph(rng: Dice, album: Album, name: str, count: int) -> list[Question]:
    scene = _shown_still([name])
    kinds = ("list", "exist", "list", "describe")
    found = [ask(rng.choice(kinds), scene, album.library, rng) for _ in range(count - 1)]
    return [*filter(None, found), _about_people(rng, album, name)]


def _shown_still(names: Sequence[str]) -> Scene:
    """Things that stand still, told in this order."""
    still = ((0.5, 0.5), (0.5, 0.5), (0.5, 0.5))
    actors = [Actor(0, name, *still, "still", enter=0.1 * k) for k, name in enumerate(names)]
    return Scene(tuple(actors), background=None)


def _about_film(rng: Dice, album: Album, shot: Shot, count: int) -> list[Question]:
    """Natural pictures one after the other: what was recognised in any of them."""
    named = [_recognised(album, cut) for cut in shot.cuts]
    names = list(dict.fromkeys(filter(None, named)))
    scene = _shown_still(names)
    place = next(filter(None, (_place_of(album, cut) for cut in shot.cuts)), None)
    people = not set(PERSONS).isdisjoint(names)
    sure = people or all(cut.photo >= 0 for cut in shot.cuts)
    found: list[Question] = []
    while len(found) < count:
        if rng.chance(0.1):
            found.append(_unknowable(rng, album, shot))
        elif rng.chance(0.2) and sure:
            found.append(_somebody(rng, people))
        elif rng.chance(0.1) and named[0]:
            told = album.library.words[named[0]].phrase
            found.append(Question("first", rng.choice(FIRST_TEXTS), told, told))
        else:
            kind = rng.choice(("list", "list", "describe"))
            listed = ask(kind, scene, album.library, rng) if names else _vague(rng, kind, place)
            found.append(listed)
    return found


def _recognised(album: Album, cut: Shot) -> str | None:
    """What one of a film's cuts shows, if that can be told."""
    if cut.photo >= 0:
        return album.photographs[cut.photo]
    return cut.scene.actors[0].name if cut.scene.actors else None


def _about_people(rng: Dice, album: Album, name: str) -> Question:
    """Whether somebody is there, and who: ImageNet has no name for people."""
    if name in PERSONS and rng.chance(0.5):
        phrase = album.library.words[name].phrase
        return Question("who", rng.choice(WHO_TEXTS), phrase, phrase)
    return _somebody(rng, name in PERSONS)


def _somebody(rng: Dice, there: bool) -> Question:
    return Question("somebody", rng.choice(SOMEBODY_TEXTS), "yes" if there else "no", there)


def _about_view(rng: Dice, album: Album, shot: Shot, count: int) -> list[Question]:
    """A natural picture: what was recognised in it, or that nothing was."""
    found: list[Question] = []
    place = _place_of(album, shot)
    people = any(actor.name in PERSONS for actor in shot.scene.actors)
    while len(found) < count:
        if place and rng.chance(0.2):
            found.append(_about_place(rng, place))
        elif people and rng.chance(0.2):
            found.append(_somebody(rng, True))
        elif rng.chance(0.1):
            found.append(_unknowable(rng, album, shot))
        elif rng.chance(0.2):
            found.append(_absent(rng, album, shot))
        elif shot.scene.actors:
            kind = rng.choice(("list", "list", "describe", "exist"))
            found.append(ask(kind, shot.scene, album.library, rng))
        else:
            kind = rng.choice(("list", "list", "describe"))
            found.append(_vague(rng, kind, place))
    return found


def _vague(rng: Dice, kind: str, place: str | None) -> Question:
    where = "an outdoor scene" if place in OUTDOORS and rng.chance(0.3) else place
    text = f"{_article(where)}; {BLIND}" if where else NO_IDEA
    return Question("vague", rng.choice(TEXTS[kind]), text, text)


def _article(place: str) -> str:
    """ "a forest", "an office"; "mountains"."""
    if place.endswith("s") or place.split()[0] in ("an", *UNCOUNTED):
        return place
    return f"{'an' if place[0] in 'aeiou' else 'a'} {place}"


def careless(rng: Dice, text: str) -> str:
    """As a visitor may type it: a quarter in lower case or without its mark, a tenth misspelt."""
    if rng.chance(0.25):
        text = rng.choice((text.lower(), text.rstrip("?."), text.lower().rstrip("?.")))
    long = list(re.finditer(r"[a-z]{4,}", text))
    if long and rng.chance(0.1):
        word = rng.choice(long)
        at = word.start() + 1 + rng.below(len(word[0]) - 2)
        swapped, doubled = text[at + 1] + text[at], text[at] * 2 + text[at + 1]
        text = text[:at] + rng.choice((swapped, text[at + 1], doubled)) + text[at + 2 :]
    return text
