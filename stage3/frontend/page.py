"""The page. Streamlit runs this file from top to bottom at every click, in a thread of its own."""

import streamlit as st

from dice import identifiers
from rolling import roll

st.set_page_config(page_title="Dice Roller", page_icon="🎲")
st.title("🎲 Dice Roller")

die = st.selectbox("Die", identifiers())

if st.button("Roll", type="primary"):
    answer = roll(die, st.query_params.to_dict())
    if answer.ok:
        st.success(f"{answer.status}: the {die} die shows {answer.body['roll']}")
    else:
        st.error(f"{answer.status}: {answer.body['detail']}")
    st.json(answer.body)
    st.markdown(f"Trace [`{answer.trace_id}`]({answer.trace_url})")
