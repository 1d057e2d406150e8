"""The public names: all there, and light until a model is loaded."""

import json
import subprocess
import sys

import pytest

import scissor

HEAVY = {"transformers", "gradio"}


@pytest.mark.parametrize("name", scissor.__all__)
def test_every_public_name_is_there(name):
    assert getattr(scissor, name) is not None
    assert name in dir(scissor)


def test_a_name_that_is_not_public_is_refused():
    with pytest.raises(AttributeError, match="nonesuch"):
        scissor.nonesuch  # noqa: B018


def test_names_of_modules_and_functions_stay_apart():
    assert callable(scissor.prompt_cost)
    assert callable(scissor.curve)
    assert isinstance(scissor.SHAPES, dict)


def test_neither_the_package_nor_its_names_load_what_is_heavy():
    code = (
        "import json, sys, scissor\n"
        f"heavy = lambda: sorted({HEAVY} & set(sys.modules))\n"
        "loaded = {'': [*heavy(), *({'torch', 'cv2'} & set(sys.modules))]}\n"
        "for name in scissor.__all__:\n"
        "    getattr(scissor, name)\n"
        "    loaded[name] = heavy()\n"
        "print(json.dumps(loaded))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout)
    assert set(loaded) == {"", *scissor.__all__}
    assert not any(loaded.values()), loaded
