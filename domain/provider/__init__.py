"""Providers of webhooks: for each, how its deliveries are verified and what its events mean to us."""

from collections.abc import Mapping

from domain.provider.delivery import (
    TOLERANCE_SECONDS,
    Entry,
    Heard,
    Problem,
    Provider,
    Reading,
    Request,
    Unheard,
)
from domain.provider.generic import GENERIC
from domain.provider.github import GITHUB
from domain.provider.intercom import INTERCOM
from domain.provider.slack import SLACK
from domain.provider.standard import STANDARD
from domain.provider.stripe import STRIPE
from domain.provider.typeform import TYPEFORM
from domain.provider.zendesk import ZENDESK
from domain.signatures import BadSignatureError

PROVIDERS: Mapping[str, Provider] = {
    "STANDARD": STANDARD,
    "STRIPE": STRIPE,
    "GITHUB": GITHUB,
    "SLACK": SLACK,
    "TYPEFORM": TYPEFORM,
    "INTERCOM": INTERCOM,
    "ZENDESK": ZENDESK,
    "GENERIC": GENERIC,
}

__all__ = [
    "PROVIDERS",
    "TOLERANCE_SECONDS",
    "BadSignatureError",
    "Entry",
    "Heard",
    "Problem",
    "Provider",
    "Reading",
    "Request",
    "Unheard",
]
