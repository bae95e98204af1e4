"""What browsers and programs built like them keep on this machine."""
