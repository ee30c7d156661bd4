# SPDX-License-Identifier: Apache-2.0
"""A fake vendor with its name server, and Prism in front of it where there is one."""
import pytest

import bed
import prism
import vendor

NAME = "_acme-challenge.example.test"


class World:
    """zones, dns (port), api (the fake), url(direct=False): through Prism when it is wanted and there."""

    def __init__(self, kind, *names):
        self.zones = vendor.Zones(*(names or ("example.test", "sub.example.test")))
        self.names = vendor.NameServer(self.zones, bed.free_port())
        self.api = kind(self.zones, bed.free_port())
        self.prism = None

    def put_prism_before(self, folder, description):
        if prism.why_not():
            pytest.skip(prism.why_not())
        self.prism = prism.Prism(folder, description, self.api.url)
        return self.prism

    def stop(self):
        if self.prism:
            self.prism.stop()
        self.api.stop()
        self.names.stop()


@pytest.fixture
def world():
    made = []

    def make(kind, *names):
        made.append(World(kind, *names))
        return made[-1]
    yield make
    for one in made:
        one.stop()
