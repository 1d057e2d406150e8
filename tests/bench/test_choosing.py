"""A model chooses the option that it thinks likeliest, read as cheaply as it can."""

import pytest
import torch
from bench.test_accuracy import Stand
from tinymini import tiny_mini

from scissor.bench.choosing import choose, weigh
from scissor.bench.measure import Condition
from scissor.bench.parts import PARTS
from scissor.models.drafts import Prefix
from scissor.models.mini import Mini
from scissor.scenes import Reader, exam, exam_library
from scissor.scenes.choices import choices
from scissor.scenes.render import clip as as_video


class Weigher(Stand):
    """Finds one answer to a question likely; a token, the end too, is worth -1 in it, else -5."""

    def answer_ids(self, answer):
        return torch.tensor([ord(letter) % 9 for letter in answer] + [9])

    def score(self, encoded, kept, question, answer):
        likely = answer == self.reply(int(encoded.key.split()[-1]), question, kept)
        along = torch.full((len(answer) + 1, 10), -9.0)
        along[torch.arange(len(along)), self.answer_ids(answer)] = -1.0 if likely else -5.0
        return along


def chosen(reply, clips, wanted):
    library = exam_library()
    options = {"library": library, "reader": Reader(library.words), "frames": 4}
    return [row for clip in clips for row in choose(Weigher(reply), clip, wanted, **options)]


def test_who_finds_the_truth_likeliest_is_always_right_and_else_hardly_ever():
    clips, library = exam(20), exam_library()
    asked = {(clip.index, c.question.text): c for clip in clips for c in choices(clip, library)}
    wanted = [Condition("all", 1.0), Condition("random", 0.25)]

    def truth(index, question, kept):
        return asked[index, question].options[asked[index, question].right]

    def another(index, question, kept):
        return truth(index, question, kept) if kept is None else asked[index, question].options[0]

    rows = chosen(truth, clips, wanted)
    assert {row["clip"] for row in rows} == {index for index, _ in asked}
    assert len(rows) == 2 * len({index for index, _ in asked})
    answers = [answer for row in rows for answer in row["answers"]]
    assert len(answers) == 2 * len(asked)
    assert all(a["score"] == 1 and a["answer"] == a["truth"] for a in answers)
    few = [
        a
        for row in chosen(another, clips, wanted)
        if row["method"] == "random"
        for a in row["answers"]
    ]
    assert all(a["answer"] == a["options"][0] for a in few)
    assert sum(a["score"] for a in few) < 0.6 * len(few)


def test_a_weight_is_the_summed_log_probability_with_the_end():
    model = Weigher(lambda *_: "a dog")
    encoded = model.encode(as_video(exam(1)[0].scene, exam_library(), 2, "clip 0"))
    assert weigh(model, encoded, None, "What?", "a dog") == -6
    assert weigh(model, encoded, None, "What?", "a cat") == -30


@pytest.mark.parametrize("method", ["all", "scc", "fastv"])
def test_a_shared_reading_weighs_as_the_scores_of_the_contract(method):
    model = Mini(tiny_mini(), "tiny", torch.device("cpu"), torch.float32)
    library = exam_library()
    clip = next(c for c in exam(10) if len(choices(c, library)) == 2)
    encoded = model.encode(as_video(clip.scene, library, 2, "clip"))
    kept, prefix = Condition(method, 1.0 if method == "all" else 0.25).kept(encoded), Prefix()
    first, then = choices(clip, library)
    for choice, options in ((first, first.options), (then, then.options[:1])):
        for option in options:
            text = choice.question.text
            along = model.score(encoded, kept, text, option)
            want = float(along.gather(-1, model.answer_ids(option)[:, None]).sum())
            found = weigh(model, encoded, kept, text, option, prefix=prefix)
            assert found == pytest.approx(want, abs=2e-3)


def test_a_clip_without_such_questions_is_not_even_encoded():
    library = exam_library()
    clip = next(c for c in exam(90) if not choices(c, library))
    assert chosen(lambda *_: "", [clip], [Condition("all", 1.0)]) == []
    assert clip not in PARTS["choices"].clips(90, library, PARTS["choices"].seed)
