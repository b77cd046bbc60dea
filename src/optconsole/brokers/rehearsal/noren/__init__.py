"""A rehearsal of Finvasia Shoonya: the NorenWClientAPI over HTTP and its WebSocket, the paper exchange behind it."""
