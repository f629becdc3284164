"""Usage events: who signed in, signed out or rolled. They are log lines with `usage`, by which the log pipeline
knows them and sends them to usage-service. User names are in these lines and nowhere else."""

import logging
import uuid

import streamlit as st

import metrics

logger = logging.getLogger("usage")
LONGEST_NAME = 40


def emit(event: str, user: str, **attributes: str | int) -> None:
    """The id makes the event one event, however often it is delivered."""
    metrics.USAGE.labels(event).inc()
    fields = {"usage": True, "event_id": str(uuid.uuid4()), "event": event, "user": user}
    logger.info("usage", extra=fields | attributes)


def current_user() -> str | None:
    user: str | None = st.session_state.get("user")
    return user


def sign_in() -> None:
    """Takes the name that was typed, without what cannot be seen; an empty one signs nobody in."""
    name = "".join(letter for letter in st.session_state["name"] if letter.isprintable()).strip()[:LONGEST_NAME]
    if not name:
        st.warning("Enter a name to sign in.")
        return
    st.session_state["user"] = name
    emit("sign_in", name)


def sign_out() -> None:
    if user := st.session_state.pop("user", None):
        emit("sign_out", user)


def rolled(die_type: str, times: int, status: int) -> None:
    """Within the roll's span, so that the event leads to its trace. Without a sign-in there is no event."""
    if user := current_user():
        emit("roll", user, die_type=die_type, times=times, status=status)
