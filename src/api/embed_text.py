#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""embed_text - a text file as a C array with its size. usage: embed_text OUT.c NAME FILE"""
import sys

out, name, path = sys.argv[1:4]
data = open(path, "rb").read()
rows = "\n".join("\t" + ", ".join(str(b) for b in data[i : i + 24]) + "," for i in range(0, len(data), 24))
open(out, "w").write(
    f"/* Made by embed_text.py. */\n#include <stddef.h>\n\nextern const char {name}_text[];\nextern const size_t {name}_size;\n"
    f"const char {name}_text[] = {{\n{rows}\n\t0\n}};\nconst size_t {name}_size = {len(data)};\n"
)
