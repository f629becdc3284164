"""Traffic for stage 1: users who roll dice straight at the roller, now and then one that does not exist."""

from traffic_gen.cli import command
from traffic_gen.settings import roller_url
from traffic_gen.users import RollerUser

DICE = {"fair": 60, "risky": 36, "golden": 4}

if __name__ == "__main__":
    command(lambda settings: RollerUser(settings, DICE), roller_url(), "ROLLER_URL", __doc__)
