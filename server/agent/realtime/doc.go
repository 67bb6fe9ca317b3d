// Package realtime owns what is said on oai-events, the data channel between a
// caller and a realtime voice service: the vocabulary of its events, the firewall
// that decides which of them pass each way, and what they tell of a call: turns
// and how long each took, tokens used and what they cost, and whether the agent is
// stuck. It is fed with messages, marks and times and answers with what is to be
// done; it opens no connection, reads no clock and keeps no words.
package realtime
