"""What stands above a tag, whatever shape the tree has."""

from __future__ import annotations

import pytest

from target_ciscovm.mapping.records import Attribute, Tag, TagNode
from target_ciscovm.mapping.tag_tree import TagTree
from target_ciscovm.mapping.tags import TagRules

TREE = TagTree(
    [
        TagNode(id=1, name="Company"),
        TagNode(id=2, name=" EMEA ", parent_tag_id=1),
        TagNode(id=3, name="Shop", parent_tag_id=2),
        TagNode(id=4, name="Lost", parent_tag_id=99),
        TagNode(id=5, name="Round", parent_tag_id=6),
        TagNode(id=6, name="And", parent_tag_id=5),
        TagNode(id=7, name="Own", parent_tag_id=7),
        TagNode(id=8, name=None, parent_tag_id=1),
        TagNode(id=9, name="Under nothing", parent_tag_id=8),
    ]
)


def tag(number: int | None, name: str = "of the row") -> Tag:
    return Tag(id=number, name=name)


@pytest.mark.parametrize(
    ("number", "names", "paths"),
    [
        (3, ["Shop", "EMEA", "Company"], ["Company/EMEA/Shop", "Company/EMEA", "Company"]),
        (1, ["Company"], ["Company"]),
        (4, ["Lost"], ["Lost"]),
        (5, ["Round", "And"], ["And/Round", "And"]),
        (7, ["Own"], ["Own"]),
        (8, ["Company"], ["Company"]),
        (9, ["Under nothing", "Company"], ["Company/Under nothing", "Company"]),
        (99, ["of the row"], ["of the row"]),
        (None, ["of the row"], ["of the row"]),
    ],
)
def test_the_tags_above_follow_by_name_or_by_path(
    number: int | None, names: list[str], paths: list[str]
) -> None:
    above, by_path = TagRules(ancestors=True), TagRules(ancestors=True, paths=True)

    assert list(above.names_of([tag(number)], TREE)) == names
    assert list(by_path.names_of([tag(number)], TREE)) == paths
    assert list(TagRules(paths=True).names_of([tag(number)], TREE)) == paths[:1]


def test_without_a_tree_a_tag_keeps_its_name() -> None:
    rules = TagRules(ancestors=True, paths=True)

    assert list(rules.names_of([tag(3, " Shop "), tag(4, " ")], TagTree())) == ["Shop"]


def test_values_of_attributes_become_tags_in_the_order_of_the_setting() -> None:
    rules = TagRules(attributes={"Tier": "tier-", "Owner": "Owner: ", "None": ""})
    attributes = [
        Attribute(name=" Owner ", value="payments\n"),
        Attribute(name="Tier", value="1"),
        Attribute(name="Owner", value=None),
        Attribute(name="owner", value="other"),
        Attribute(name=None, value="x"),
    ]

    assert list(rules.of_attributes(attributes)) == ["tier-1", "Owner: payments"]
    assert list(rules.of_attributes(None)) == []
