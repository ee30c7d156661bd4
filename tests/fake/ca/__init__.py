# SPDX-License-Identifier: Apache-2.0
"""ca - a correct ACME authority for tests whose every answer a script can replace. See server.py and README.md."""
from .judge import Judge, parse_retry_after
from .limits import LETS_ENCRYPT, Clock, Limits
from .server import CA, Rule

__all__ = ["CA", "Clock", "Judge", "LETS_ENCRYPT", "Limits", "Rule", "parse_retry_after"]
