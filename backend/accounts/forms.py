"""What a person may send when logging in, and of their own account."""

from pydantic import BaseModel, Field


class LoginForm(BaseModel):
    email: str = Field(max_length=254)
    password: str = Field(max_length=1000, repr=False)
    next: str = "/"


class ChooseForm(BaseModel):
    assignment: str = Field(max_length=100)
    next: str = "/"


class AskResetForm(BaseModel):
    email: str = Field(max_length=254)


class LinkForm(BaseModel):
    new_password: str = Field(max_length=1000, repr=False)


class ChangePasswordForm(LinkForm):
    password: str = Field(max_length=1000, repr=False)
