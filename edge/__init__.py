"""The device side: a gateway that reads its devices, signs what it reads, stores it and forwards it."""
