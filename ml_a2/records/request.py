"""What a person asked `ml-a2 run` for: kept in the manifest, so that the run can be repeated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Event
from typing import Any, ClassVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from ml_a2 import contract
from ml_a2.dataset import Dataset, Opener, Split
from ml_a2.digest import file_sha256
from ml_a2.errors import DataError, UserError
from ml_a2.loading import load_files, load_sample
from ml_a2.records.given_model import GivenModel, find_model


@dataclass(frozen=True)
class Prepared:
    """Data as it goes up, what the files were that it came from, and the model where one is given."""

    dataset: Dataset
    sources: tuple[Mapping[str, str], ...] = ()
    model: GivenModel | None = None

    def write(self, folder: Path, hosts: int, opened: Opener = lambda path: path.open("wb")) -> dict[str, Path]:
        """Write what the jobs read into a folder: the channels' files and the columns' names, by their keys.

        Args:
            folder: where to.
            hosts: how many hosts share the training rows.
            opened: opens a channel's file to be written.
        """
        train, validation = self.dataset.write(folder, hosts, opened)
        columns = folder / contract.COLUMNS_FILE
        columns.write_text(json.dumps(self.dataset.columns(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        return {
            **{f"{contract.TRAIN_PREFIX}{path.name}": path for path in train},
            **{f"{contract.VALIDATION_PREFIX}{path.name}": path for path in validation},
            f"{contract.CODE_PREFIX}{columns.name}": columns,
        }


@dataclass(frozen=True, kw_only=True)
class Request:
    """The options of `ml-a2 run` as they count in the end; paths as they were given, relative to `directory`."""

    # Read back, it has no option that is not known here.
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    directory: str
    sample: str | None = None
    train: str | None = None
    validation: str | None = None
    target_column: str | None = None
    validation_fraction: float = 0.2
    seed: int = 42
    objective: str | None = None
    model: str | None = None
    settings: str | None = None
    assembly: str | None = None
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    hosts: int = 1
    region: str = "us-east-1"
    speed: float = 100
    faults: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the request as a manifest keeps it."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Request:
        """Read a request out of a manifest; options that came later have their defaults.

        Raises:
            UserError: an option is not known here, or is not what it should be.
        """
        try:
            return TypeAdapter(cls).validate_python(document)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(("request", *map(str, first["loc"])))
            raise UserError(f"{where} is not what this version of ml-a2 knows: {first['msg'].lower()}") from error

    def path(self, given: str) -> Path:
        """Return where a path leads: from the request's directory, or from here where files moved along."""
        there = Path(self.directory, given)
        here = Path(given)
        return here if Path.cwd() == Path(self.directory) or (here.exists() and not there.exists()) else there

    def source_paths(self) -> tuple[str, ...]:
        """Return the person's own files, as they were given."""
        return tuple(path for path in (self.train, self.validation) if path)

    def prepare(self) -> Prepared:
        """Read and check the data, and the model where one is given.

        Raises:
            UserError: a file is not there, or cannot be trained on or evaluated with.
        """
        paths = [self.path(given) for given in self.source_paths()]
        for path in paths:
            _check_file(path)
        enough = Event()
        with ThreadPoolExecutor() as pool:  # hashing a file takes as long as reading it
            hashes = [pool.submit(file_sha256, path, enough.is_set) for path in paths]
            try:
                model = find_model(self.path(self.model)) if self.model else None
                dataset = self._load_for(model) if model else self._load()
                sources = tuple(
                    {"path": given, "sha256": _hash_of(given, sha256)}
                    for given, sha256 in zip(self.source_paths(), hashes, strict=True)
                )
            finally:
                enough.set()
        return Prepared(dataset, sources, model)

    def _load(self) -> Dataset:
        split = Split(self.validation_fraction, self.seed)
        if self.sample:
            return load_sample(self.sample, self.objective, split)
        if not self.train or not self.target_column:
            raise UserError("a request names a sample, or a file to train on and its target column")
        validation = self.path(self.validation) if self.validation else None
        return load_files(self.path(self.train), validation, self.target_column, self.objective, split)

    def _load_for(self, model: GivenModel) -> Dataset:
        if self.sample:
            return model.load_sample(self.sample)
        if not self.validation:
            raise UserError("a given model needs rows to be evaluated on: a sample, or a file")
        return model.load_file(self.path(self.validation), self.target_column)


def _hash_of(path: str, sha256: Future[str]) -> str:
    try:
        return sha256.result()
    except OSError as error:  # it could be read a moment before
        raise DataError(f"{path} cannot be read: {error.strerror}; run again when it can") from error


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise DataError(f"{path} is a folder; name a CSV or Parquet file")
    if path.exists() and not path.is_file():
        raise DataError(f"{path} is a pipe or a device, and data is read twice; write it to a file and name that")
