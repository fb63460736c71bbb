"""What a person may send when logging in, and of their own account."""

from pydantic import BaseModel, Field


class LoginForm(BaseModel):
    email: str = Field(max_length=254, title="E-postadress")
    password: str = Field(max_length=1000, repr=False, title="Lösenord")
    next: str = "/"


class ChooseForm(BaseModel):
    assignment: str = Field(max_length=100, title="Uppdrag")
    next: str = "/"


class AskResetForm(BaseModel):
    email: str = Field(max_length=254, title="E-postadress")


class LinkForm(BaseModel):
    new_password: str = Field(max_length=1000, repr=False, title="Nytt lösenord")


class ChangePasswordForm(LinkForm):
    password: str = Field(max_length=1000, repr=False, title="Lösenord")
