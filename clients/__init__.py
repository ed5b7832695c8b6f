"""Third parties we call: mail servers, and the endpoints that partners register. Nothing of ours is known here."""
