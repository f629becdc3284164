"""Traffic for stage 4: users who click Roll, and now and then Roll all at once."""

from traffic_gen.cli import command
from traffic_gen.settings import frontend_url
from traffic_gen.streamlit_user import BatchUser

DICE = {"fair": 50, "risky": 30, "heavy": 20}

if __name__ == "__main__":
    command(lambda settings: BatchUser(settings, DICE), frontend_url(), "FRONTEND_URL", __doc__)
