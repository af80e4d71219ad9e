"""`portcullis engine`: prints what plain OPA needs beside a team's folder, for `opa test ... $(portcullis engine)`."""

import argparse

from handler.bundle import engine, helper


def add_to(parser: argparse.ArgumentParser) -> None:
    """Describe the command, which has no arguments."""
    parser.description = (
        "Print, on one line, the folders of the engine and of the helper that policy tests use, for plain OPA: "
        "opa test policies policy_tests $(portcullis engine)"
    )


def run(_: argparse.Namespace) -> int:
    """Print the folder of both where they lie together, as they do unless this is a checkout."""
    folders = [engine(), helper()]
    print(*([folders[0].parent] if folders[0].parent == folders[1].parent else folders))
    return 0
