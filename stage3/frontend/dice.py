"""The dice to choose from, as die-service lists them."""

import logging

import httpx
import streamlit as st

import clients

logger = logging.getLogger("frontend")
known = ["fair", "risky"]


def identifiers() -> list[str]:
    """The list; while die-service is away, what was known of it before."""
    try:
        known[:] = listed()
    except (httpx.HTTPError, KeyError, TypeError, ValueError) as error:
        logger.error("no list of dice", extra={"error": str(error)})
        st.warning("die-service does not answer: the list of dice may be old.")
    return list(known)


@st.cache_data(ttl=30, show_spinner=False)
def listed() -> list[str]:
    response = clients.die_service.get("/dice")
    response.raise_for_status()
    found = response.json()["identifiers"]
    if not found or not isinstance(found, list) or not all(isinstance(identifier, str) for identifier in found):
        raise ValueError(f"no list of names: {found!r:.100}")
    return found
