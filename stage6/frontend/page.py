"""The page. Streamlit runs this file from top to bottom at every click, in a thread of its own."""

import streamlit as st

from dice import identifiers
from rolling import Answer, roll, roll_all
from usage import LONGEST_NAME, current_user, sign_in, sign_out

st.set_page_config(page_title="Dice Roller", page_icon="🎲")
st.title("🎲 Dice Roller")

with st.container(horizontal=True, vertical_alignment="bottom"):  # a phone would fold the sidebar away
    if user := current_user():
        st.text(f"Signed in as {user}")
        st.button("Sign out", on_click=sign_out)
    else:
        st.text_input("Name", key="name", max_chars=LONGEST_NAME)
        st.button("Sign in", on_click=sign_in)

die = st.selectbox("Die", identifiers())
times = int(st.number_input("Number of dice", 1, 100, 5))
one, all_at_once = st.columns(2)


def show(answer: Answer, success: str) -> None:
    if answer.ok:
        st.success(f"{answer.status}: {success.format(**answer.body)}")
    else:
        st.error(f"{answer.status}: {answer.body['detail']}")
    st.json(answer.body)
    st.markdown(f"Trace [`{answer.trace_id}`]({answer.trace_url})")


caller = st.query_params.to_dict()
if one.button("Roll", type="primary"):
    show(roll(die, caller), "the {die} die shows {roll}")
if all_at_once.button("Roll all at once"):
    show(roll_all(die, times, caller), "{times} {die} dice show {total} together, {failed} failed")
