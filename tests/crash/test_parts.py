# SPDX-License-Identifier: Apache-2.0
"""The crash loop in pieces: what `--part I/N` leaves out, another part makes."""
import argparse
import random

import loop
import pytest


@pytest.mark.parametrize("every", (1, 2, 7))
@pytest.mark.parametrize("of", (1, 2, 5, 200))
def test_the_parts_together_are_the_whole_and_no_run_is_in_two(of, every):
    parts = [loop.Part(f"{i}/{of}", every) for i in range(1, of + 1)]
    whole = loop.Part("1/1", every)
    passes = [n for part in parts for n in part.passes(random.Random(1), 120)]
    assert sorted(passes) == list(whole.passes(random.Random(1), 120))
    assert sorted(n for part in parts for n in part.among(range(40))) == list(range(40))


@pytest.mark.parametrize("text", ("", "1", "0/4", "5/4", "-1/4", "1/4/2", "a/b", "1/0"))
def test_a_part_that_is_none_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError):
        loop.Part(text)
