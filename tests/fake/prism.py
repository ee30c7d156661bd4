# SPDX-License-Identifier: Apache-2.0
"""prism - Stoplight's Prism as a proxy between us and a fake: it holds what we send and what the fake answers against the vendor's own
description. 422 is a wrong request, 500 a wrong answer. Brought by `tools/setup --peers`; without it the tests are skipped."""
import shutil
import urllib.error
import urllib.request

import bed

PEERS = bed.TOP / "build" / "peers" / "node_modules"
CLI = PEERS / "@stoplight" / "prism-cli" / "dist" / "index.js"


def why_not():
    if not CLI.exists():
        return "Prism is not here: tools/setup --peers brings it from the npm registry"
    return None if shutil.which("node") else "there is no node"


class Prism:
    def __init__(self, folder, description, upstream):
        self.port = bed.free_port()
        self.process = bed.Process("prism", ["node", CLI, "proxy", "--errors", "-h", "127.0.0.1", "-p", self.port,
                                             bed.TOP / "tests" / "data" / description, upstream], folder)
        bed.wait_for(self.answers, 240, f"Prism answers\n{self.process.text()}", 0.2)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def answers(self):
        try:
            urllib.request.urlopen(self.url, timeout=2).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def violations(self):
        """Lines of its log about requests or answers that are not as described. That a refusal is not described at all is no violation."""
        return [line for line in self.process.text().splitlines() if "Violation" in line and "Unable to match the returned status code" not in line]

    def stop(self):
        self.process.stop(5)
