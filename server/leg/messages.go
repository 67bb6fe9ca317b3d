package leg

// MessageHandler takes the text messages that the far end of a leg sends on its
// data channel. HandleMessage is called from one goroutine at a time, in order.
// The text is only good until it returns, and it must not wait.
type MessageHandler interface {
	HandleMessage(text []byte)
}

// MessageWriter sends text messages to the far end of a leg, in order. It doesn't
// wait: a message that can't be sent now, or that the far end would not take, is an
// error. It must not keep the text.
type MessageWriter interface {
	WriteMessage(text []byte) error
}

// Handler takes all that comes from the far end of a leg: packets and messages,
// each kind from a goroutine of its own.
type Handler interface {
	RTPHandler
	MessageHandler
}

// HandleMessage implements MessageHandler.
func (discard) HandleMessage([]byte) {}
