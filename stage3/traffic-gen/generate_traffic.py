"""Traffic for stage 3: users who open the page in the frontend and click Roll."""

from traffic_gen.cli import command
from traffic_gen.settings import frontend_url
from traffic_gen.streamlit_user import StreamlitUser

DICE = {"fair": 50, "risky": 30, "heavy": 20}

if __name__ == "__main__":
    command(lambda settings: StreamlitUser(settings, DICE), frontend_url(), "FRONTEND_URL", __doc__)
