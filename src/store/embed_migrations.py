#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes store_migrations[] from the numbered files of migrations/: embed_migrations.py OUT FILE..."""
import os
import re
import sys


def literal(line):
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"') + '\\n"'


def main():
    out, files = sys.argv[1], sorted(sys.argv[2:], key=os.path.basename)
    lines = ["/* Generated from src/store/migrations. */", '#include "store/driver.h"', "",
             "const struct migration store_migrations[] = {"]
    last = 0
    for path in files:
        m = re.fullmatch(r"(\d{4})_([a-z0-9_]+)\.sql", os.path.basename(path))
        if not m or int(m.group(1)) <= last:
            sys.exit(f"{path}: migrations are named 0001_name.sql, 0002_name.sql, ... each with a number of its own")
        last = int(m.group(1))
        with open(path, encoding="ascii") as f:
            text = "\n\t  ".join(literal(line.rstrip("\n")) for line in f)
        lines.append(f'\t{{ {last}, "{m.group(2)}",\n\t  {text} }},')
    lines += ["\t{ 0 },", "};", ""]
    with open(out, "w", encoding="ascii") as f:
        f.write("\n".join(lines))


main()
