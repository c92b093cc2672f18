"""What callers of the FastAPI services and of Ray Serve's send."""

from pydantic import BaseModel


class Text(BaseModel):
    text: str


class Texts(BaseModel):
    texts: list[str]
