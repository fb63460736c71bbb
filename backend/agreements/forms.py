"""What a person may send about a routing rule."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

Code = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)]
TargetGroup = Literal["children_youth", "adults", "older"]
CareLevel = Literal[
    "inpatient",
    "psychiatry",
    "primary_care",
    "home_nursing",
    "home_care",
    "residential_care",
    "rehabilitation",
    "social_services",
    "school_health",
    "ambulance",
    "other",
]


class RoutingRuleForm(BaseModel):
    """`rule` is the one that this would take the place of. `first`: before others that say equally much."""

    model_config = ConfigDict(hide_input_in_errors=True, extra="ignore")

    unit: Code
    category: Code | None = None
    target_group: TargetGroup | None = None
    care_level: CareLevel | None = None
    first: bool = False
    rule: int | None = None
