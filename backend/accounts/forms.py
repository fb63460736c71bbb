"""What a person may send when logging in."""

from pydantic import BaseModel, Field


class LoginForm(BaseModel):
    email: str = Field(max_length=254)
    password: str = Field(max_length=1000, repr=False)
    next: str = "/"


class ChooseForm(BaseModel):
    assignment: str = Field(max_length=100)
    next: str = "/"
