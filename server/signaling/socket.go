package signaling

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"

	"parley/server/session"
	"parley/shared/wire"
)

// socket is one open WebSocket. Two goroutines serve it: the request's own
// reads, another writes. The link to the session is set once, or never if no
// place was free; a resume as the first message may set it anew.
type socket struct {
	h      *Handler
	conn   *websocket.Conn
	caller session.Caller

	// Of the reader.
	frames *rate.Limiter
	bad    *rate.Limiter
	buf    []byte
	first  bool // the next frame is the first

	linked  chan struct{}     // the link was set; one waits at most
	replies chan wire.Message // to the caller while there is no link
	stop    chan struct{}     // the reader refuses the socket: see code
	gone    chan struct{}     // nothing more will be read

	written    chan struct{} // the writer took a message: there is room for an answer
	unwritable chan struct{} // the writer is done

	boundingWrites sync.WaitGroup // for what attach leaves behind
	entering       sync.Mutex     // one decision about the link at a time

	origin     origin
	forwarding sync.WaitGroup

	mu        sync.Mutex
	link      *session.Link
	far       *websocket.Conn // of the node that the socket was passed on to; nil: it was not
	code      wire.CloseCode  // to close with; 0: what the cause says
	reason    string
	heard     time.Time // when the peer gave its last sign
	hasSpoken bool      // it gave one since the upgrade
	heardC    chan struct{}
	messageBy time.Time // the message under way must be whole; zero: none is
	closing   bool
}

// maxReplies is how many may wait while there is no session: a resume's refusal, those
// of the bad frames that are forgiven, and that of the one which closes the socket.
func (l Limits) maxReplies() int { return 1 + l.BadFrames + 1 }

// serve runs the socket until it is gone, and gives the link it had at the end.
func (h *Handler) serve(conn *websocket.Conn, a admitted) *session.Link {
	now := time.Now()
	s := &socket{
		h: h, conn: conn, caller: a.caller, first: true, heard: now,
		frames:  rate.NewLimiter(rate.Limit(h.limits.FrameRate), h.limits.FrameBurst),
		bad:     rate.NewLimiter(rate.Every(h.limits.BadFrameEvery), h.limits.BadFrames),
		linked:  make(chan struct{}, 1),
		replies: make(chan wire.Message, h.limits.maxReplies()),
		stop:    make(chan struct{}),
		gone:    make(chan struct{}),

		written:    make(chan struct{}, 1),
		unwritable: make(chan struct{}),
		origin:     a.origin,
	}
	h.add(s)
	defer s.boundingWrites.Wait()
	defer h.remove(s)
	defer conn.Close()
	s.setControlHandlers()
	if a.place != nil {
		s.attachPlace(a.place)
	}
	var writer sync.WaitGroup
	writer.Go(func() { defer close(s.unwritable); s.write() })
	err := s.read()
	s.detach(err)
	close(s.gone)
	writer.Wait()
	s.closeFar(err)
	s.forwarding.Wait()
	return s.current()
}

// attach links the socket to a session, or says that it is over.
func (s *socket) attach(to *session.Session) error {
	l, err := to.Attach()
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.link = l
	s.mu.Unlock()
	s.boundingWrites.Add(1)
	context.AfterFunc(l.Context(), func() { // it always ends: detach sees to that
		defer s.boundingWrites.Done()
		if l == s.current() {
			s.boundWrites()
		}
	})
	select {
	case s.linked <- struct{}{}:
	default:
	}
	return nil
}

// boundWrites leaves a write that is under way no more than CloseWait: what it holds
// up is the goodbye.
func (s *socket) boundWrites() {
	_ = s.conn.NetConn().SetWriteDeadline(time.Now().Add(s.h.limits.CloseWait))
}

func (s *socket) current() *session.Link {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.link
}

// refuse has the writer close the socket with a code of its own, and ends the
// session, if there is one, for a cause. The first refusal counts.
func (s *socket) refuse(code wire.CloseCode, reason string, cause wire.EndCause) {
	s.mu.Lock()
	again := s.code != 0
	if !again {
		s.code, s.reason = code, reason
	}
	l := s.link
	s.mu.Unlock()
	if again {
		return
	}
	if l != nil && cause != "" {
		l.End(cause)
	}
	close(s.stop)
}

func (s *socket) isRefused() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.code != 0
}

// detach tells the session that the socket is gone: for good when the peer said
// it was done or spoke no WebSocket, else for as long as the grace allows. Nobody comes
// back for the place of a peer that closed before it gave any sign: it asked while this
// server stood still, and had given up when it was let in.
func (s *socket) detach(err error) {
	s.mu.Lock()
	l, heard, hasSpoken := s.link, s.heard, s.hasSpoken
	s.mu.Unlock()
	if l == nil {
		return
	}
	switch {
	case !hasSpoken && isHungUp(err):
		l.End(wire.ConnectionLost)
	case websocket.IsCloseError(err, websocket.CloseNormalClosure):
		l.End(wire.CallerLeft)
	case !isBroken(err):
		l.End(wire.ProtocolError)
	}
	l.Lost(heard)
}

// isBroken says that the connection failed or was closed. Any other error is
// gorilla's about the framing (RFC 6455 §5), answered with 1002 by itself.
func isBroken(err error) bool {
	var closed *websocket.CloseError
	var network net.Error
	return errors.As(err, &closed) || errors.As(err, &network) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// isHungUp says that the connection was closed, or reset, without a closing handshake; by
// us where that was found while writing.
func isHungUp(err error) bool {
	var closed *websocket.CloseError
	if errors.As(err, &closed) {
		return closed.Code == websocket.CloseAbnormalClosure
	}
	for _, gone := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE, net.ErrClosed} {
		if errors.Is(err, gone) {
			return true
		}
	}
	return false
}

// isOver is the end of a link, if it is the session's or another socket's doing.
func isOver(l *session.Link) (*session.End, bool) {
	var end *session.End
	return end, errors.As(context.Cause(l.Context()), &end)
}
