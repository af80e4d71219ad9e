"""What boto3 and moto make anew for each session, client or request, made once for all tests of a process."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from botocore.client import ClientCreator
from botocore.hooks import EventAliaser
from botocore.loaders import create_loader
from botocore.model import ServiceModel
from moto.core.serialize import XFormedAttributePicker
from moto.core.utils import method_names_from_class


@pytest.fixture(scope="session", autouse=True)
def boto3_makes_once() -> Iterator[None]:
    """Make once the models of AWS's services (0.1 s for EC2's), their clients' methods (0.01 s) and names of events."""
    create_methods = vars(ClientCreator)["_create_methods"]
    load_service_model = vars(ClientCreator)["_load_service_model"]
    alias_event_name = vars(EventAliaser)["_alias_event_name"]
    methods_by_service: dict[str, dict[str, Any]] = {}
    models: dict[tuple[str, str | None], ServiceModel] = {}
    names: dict[str, str] = {}

    def methods(creator: ClientCreator, model: ServiceModel) -> dict[str, Any]:
        if model.service_name not in methods_by_service:
            methods_by_service[model.service_name] = create_methods(creator, model)
        return dict(methods_by_service[model.service_name])

    def service_model(creator: ClientCreator, service: str, version: str | None = None) -> ServiceModel:
        if (service, version) not in models:
            models[service, version] = load_service_model(creator, service, version)
        return models[service, version]

    def alias(aliaser: EventAliaser, name: str) -> str:
        if name not in names:
            names[name] = alias_event_name(aliaser, name)
        return names[name]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.session.create_loader", cache(create_loader))
        patch.setattr(ClientCreator, "_create_methods", methods)
        patch.setattr(ClientCreator, "_load_service_model", service_model)
        patch.setattr(EventAliaser, "_alias_event_name", alias)
        yield


@pytest.fixture(scope="session", autouse=True)
def moto_makes_once() -> Iterator[None]:
    """Make once the names of what moto answers (0.002 s); of `requests` it answers POST alone, which seeds it."""
    possible_keys = vars(XFormedAttributePicker)["get_possible_keys"]
    keys: dict[tuple[object, ...], tuple[object, list[str]]] = {}

    def keys_of(picker: XFormedAttributePicker, context: Any) -> list[str]:
        shape = context.shape  # kept, so that no other has its id
        place = (type(context.obj), context.key, id(shape), id(getattr(shape, "parent", None)))
        if place not in keys:
            keys[place] = shape, list(possible_keys(picker, context))
        return keys[place][1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("moto.core.responses.method_names_from_class", cache(method_names_from_class))
        patch.setattr("moto.core.models.RESPONSES_METHODS", ["POST"])
        patch.setattr(XFormedAttributePicker, "get_possible_keys", keys_of)
        yield
