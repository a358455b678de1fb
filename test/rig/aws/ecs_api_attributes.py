"""Custom attributes of container instances. Limits and errors: docs.aws.amazon.com/AmazonECS/latest/APIReference/
API_PutAttributes.html, API_DeleteAttributes.html, API_Attribute.html."""

import re

from .ecs_state import Instance
from .replies import AwsError

_NAME = re.compile(r"[A-Za-z0-9_/\\.-]{1,128}")
_VALUE = re.compile(r"(?! )[A-Za-z0-9_.@/\\: -]{1,128}(?<! )")
_MOST = 10  # custom ones of an instance, and attributes of a call


class AttributesApi:
    def _attribute_actions(self) -> dict:
        return {"PutAttributes": self._put_attributes, "DeleteAttributes": self._delete_attributes}

    def _put_attributes(self, params: dict) -> dict:
        """Creates, or replaces the value. Nothing is changed where one of them cannot be."""
        given = self._given(params)
        for instance, attribute in given:
            if not _VALUE.fullmatch(attribute.get("value", "")):
                raise AwsError("InvalidParameterException", f"Invalid attribute value: {attribute.get('value')!r}.")
            if len(instance.attributes.keys() | {attribute["name"]}) > _MOST:
                raise AwsError("AttributeLimitExceededException", f"An instance has {_MOST} custom attributes at most.")
        for instance, attribute in given:
            instance.attributes[attribute["name"]] = attribute["value"]
        return {"attributes": [attribute for _, attribute in given]}

    def _delete_attributes(self, params: dict) -> dict:
        """Answers those it has deleted. What AWS says of one that is not there is not documented: refused here."""
        given = self._given(params)
        for instance, attribute in given:
            if attribute["name"] not in instance.attributes:
                raise AwsError("UnsupportedFeatureException", "The rig deletes attributes that are there only.")
        deleted = [attribute | {"value": one.attributes.pop(attribute["name"])} for one, attribute in given]
        return {"attributes": deleted}

    def _given(self, params: dict) -> list[tuple[Instance, dict]]:
        cluster = self.model.cluster(params.get("cluster"))
        if not 1 <= len(params["attributes"]) <= _MOST:
            raise AwsError("InvalidParameterException", f"attributes can have 1 to {_MOST} items.")
        return [(self._target(cluster, one), one) for one in params["attributes"]]

    def _target(self, cluster: str, attribute: dict) -> Instance:
        """The short id needs a targetType."""
        target = attribute.get("targetId", "")
        if not _NAME.fullmatch(attribute["name"]):
            raise AwsError("InvalidParameterException", f"Invalid attribute name: {attribute['name']!r}.")
        kind = attribute.get("targetType")
        if kind not in (None, "container-instance") or (kind is None and not target.startswith("arn:")):
            raise AwsError("InvalidParameterException", "targetType must be container-instance.")
        if not (instance := self._instance(target, cluster)):
            raise AwsError("TargetNotFoundException", f"The specified target was not found: {target}.")
        return instance
