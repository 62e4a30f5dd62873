"""Keys of objects that SageMaker does not download into a job.

Source: failure reasons of jobs, quoted in the comments below; what the developer guide says of keys is nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

# "ClientError: Data download failed:Failed to download data. S3 key: s3://BUCKET/shared//train-1/input/code/x.txt has
# an illegal char sub-sequence '//' in it" (aws-samples/generative-ai-on-amazon-sagemaker#242): anywhere in the key,
# above the prefix that a channel names or below it. Joining a path that ends in "/" makes such keys.
ILLEGAL = "//"


def has_illegal_sequence(key: str) -> bool:
    """Tell whether a key has a character sequence for which SageMaker gives up the download."""
    return ILLEGAL in key


def both_file_and_folder(keys: Iterable[str]) -> Iterator[str]:
    """Yield the keys that are a folder of other keys too: no file system holds both.

    Args:
        keys: without the markers that consoles write for a folder, whose keys end in "/".
    """
    every = set(keys)
    folders = {key[:end] for key in every for end, character in enumerate(key) if character == "/"}
    yield from sorted(every & folders)
