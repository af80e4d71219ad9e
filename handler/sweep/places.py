"""Which accounts and Regions the scanners are to be asked about."""

from typing import Any

from handler import aws
from handler.fetching import FAILURES, spelled
from handler.settings import Settings
from handler.sweep.scanners import SCANNERS
from handler.sweep.summary import Summary


def scanned(settings: Settings, summary: Summary) -> set[str]:
    """Return the places (`ACCOUNT#REGION`) of the function's own account and of the members of its organization.

    Where the members cannot be read, the summary says so: what is remembered of them is looked at nevertheless.
    """
    names = [name for name in settings.sweep_scanners.split(",") if name]
    if not names:
        return set()
    home, account = settings.alert_topic_arn.split(":")[3:5]
    places: set[str] = set()
    for region in {home, *settings.sweep_regions.split(",")} - {""}:
        service = SCANNERS[names[0]].service
        try:
            members = _members(aws.lister(service, region))
        except (*FAILURES, KeyError) as error:
            summary.problems[f"{service} did not say whose administrator this is in {region}: {spelled(error)}"] += 1
            summary.unseen += 1
            members = set()
        places |= {f"{name}#{region}" for name in {account, *members}}
    return places


def _members(client: Any) -> set[str]:
    """Ask for the accounts that are members, by the name that the service has for each thing."""
    pages = client.get_paginator("list_members").paginate()
    listed = [member for page in pages for member in page.get("members", page.get("Members", []))]
    return {member.get("accountId") or member["AccountId"] for member in listed}
