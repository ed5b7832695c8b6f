"""What members may do, in the schema."""

from enum import StrEnum

import strawberry


@strawberry.enum(description="What a member may do; each role may do all that the one before may.")
class Role(StrEnum):
    VIEWER = "VIEWER"
    ANALYST = "ANALYST"
    ADMIN = "ADMIN"
    OWNER = "OWNER"
