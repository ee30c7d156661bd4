# SPDX-License-Identifier: Apache-2.0
"""A server for the tests of the API, with somebody of each role."""
import shutil

import bed as beds
import pytest
from api_client import Client

PASSWORD = "correct horse battery staple"
ROLES = ("viewer", "operator", "admin")


class Api:
    def __init__(self, folder, settings=None):
        self.server = beds.Server(folder, settings=settings).start()
        self.url = self.server.url
        self.nobody = Client(self.url)
        self.admin = Client(self.url, token=self.server.token_file.read_text().strip())
        self.by_role = {}
        for role in ROLES:
            made = self.admin.post("/users", {"name": f"a-{role}", "role": role, "password": PASSWORD + role})
            assert made.status_code == 201, made.text
            session = self.admin.sign_in(f"a-{role}", PASSWORD + role)
            token = session.post("/tokens", {"name": "test"})
            assert token.status_code == 201, token.text
            self.by_role[role] = Client(self.url, token=token.json()["token"])

    def session(self, role):
        return self.admin.sign_in(f"a-{role}", PASSWORD + role)

    def stop(self):
        self.server.stop()


@pytest.fixture(scope="module")
def api():
    folder = beds.scratch("certwright-api-")
    one = Api(folder)
    yield one
    one.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def own_api(scratch):
    """A server of its own, for tests that leave traces (failed sign-ins)."""
    one = Api(scratch)
    yield one
    one.stop()
