"""The UI in a real browser. A package, so that its fixtures end with it: sync Playwright holds the main loop."""
