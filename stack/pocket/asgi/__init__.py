"""What every HTTP port has in common: bounded heads and bodies, no foreign pages, callers that leave."""
