#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the table of publishers: registry.py OUT NAME ..."""
import sys

out, names = sys.argv[1], sys.argv[2:]
with open(out, "w") as f:
    f.write('#include "publish/publisher.h"\n\n')
    for n in names:
        f.write(f"extern const struct publisher publisher_{n};\n")
    f.write("\nconst struct publisher *const publishers[] = {\n")
    for n in names:
        f.write(f"\t&publisher_{n},\n")
    f.write("\tNULL,\n};\n")
