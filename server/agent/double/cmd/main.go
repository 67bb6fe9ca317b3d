// Command cmd runs a double of a realtime voice service on this machine, for whoever
// develops without an account at one:
//
//	go run ./server/agent/double/cmd -listen localhost:8089
//
// Any key is taken. Misbehaviour is asked for by flags.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"parley/server/agent/double"
)

// headerTimeout and closeTimeout bound a request's header and the end.
const headerTimeout, closeTimeout = 10 * time.Second, 2 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "double:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("double", flag.ContinueOnError)
	listen := flags.String("listen", "localhost:8089", "address to serve at")
	dialect := flags.String("dialect", string(double.OpenAI), "openai, raw-sdp or json-sdp")
	tool := flags.String("tool", "", "function that the model calls once in each call")
	faults := double.Faults{}
	flags.IntVar(&faults.Status, "status", 0, "answer offers with this status")
	flags.IntVar(&faults.AnswerSize, "answer-size", 0, "fill answers up to so many bytes")
	flags.BoolVar(&faults.IsMalformed, "malformed", false, "answer with no description")
	flags.BoolVar(&faults.IsWithoutOpus, "without-opus", false, "take another codec")
	flags.IntVar(&faults.HangUpStatus, "hang-up-status", 0, "answer hang-ups with this status")
	flags.DurationVar(&faults.Delay, "delay", 0, "answer offers so much later")
	flags.DurationVar(&faults.VanishAfter, "vanish-after", 0, "be gone without a word so long after a call began")
	flags.DurationVar(&faults.LeaveAfter, "leave-after", 0, "close the connection so long after a call began")
	flags.BoolVar(&faults.IsSilent, "silent", false, "send no audio")
	flags.BoolVar(&faults.IsMute, "mute", false, "send no events")
	flags.BoolVar(&faults.IsDeaf, "no-events", false, "notice nothing that the caller says")
	flags.BoolVar(&faults.IsTracing, "tracing", false, "trace calls unasked")
	flags.BoolVar(&faults.IsEndless, "response-without-end", false, "begin answers, and neither go on nor end them")
	flags.BoolVar(&faults.WithoutUsage, "without-usage", false, "leave out usage")
	if err := flags.Parse(args); err != nil {
		return err
	}
	service, err := double.New(double.Config{Dialect: double.Dialect(*dialect), Tool: *tool, Faults: faults})
	if err != nil {
		return err
	}
	defer service.Close()
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	fmt.Printf("A double of a realtime voice service: http://%s%s\n", listener.Addr(), double.CallsPath)
	server := &http.Server{Handler: service, ReadHeaderTimeout: headerTimeout}
	stop := context.AfterFunc(ctx, func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		_ = server.Shutdown(closing) // what isn't done by then is cut off
	})
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
