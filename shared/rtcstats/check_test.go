package rtcstats_test

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"parley/shared/rtcstats"
)

func TestCheckAtTheEdges(t *testing.T) {
	type change = func(*rtcstats.Sample)
	in := func(f func(*rtcstats.Inbound)) change { return func(s *rtcstats.Sample) { f(s.Inbound) } }
	cases := map[string]struct {
		change change
		ok     bool
	}{
		"as captured":                 {func(*rtcstats.Sample) {}, true},
		"time 0":                      {func(s *rtcstats.Sample) { s.Timestamp = 0 }, false},
		"time not a number":           {func(s *rtcstats.Sample) { s.Timestamp = math.NaN() }, false},
		"the year 3000":               {func(s *rtcstats.Sample) { s.Timestamp = 32503680000000 }, true},
		"beyond it":                   {func(s *rtcstats.Sample) { s.Timestamp = 32503680000001 }, false},
		"packets, the most":           {in(func(i *rtcstats.Inbound) { i.PacketsReceived = rtcstats.MaxPackets }), true},
		"packets, one more":           {in(func(i *rtcstats.Inbound) { i.PacketsReceived = rtcstats.MaxPackets + 1 }), false},
		"packets, below 0":            {in(func(i *rtcstats.Inbound) { i.PacketsReceived = -1 }), false},
		"lost, below 0":               {in(func(i *rtcstats.Inbound) { i.PacketsLost = -1 }), true},
		"lost, the least":             {in(func(i *rtcstats.Inbound) { i.PacketsLost = -rtcstats.MaxPackets }), true},
		"lost, one less":              {in(func(i *rtcstats.Inbound) { i.PacketsLost = -rtcstats.MaxPackets - 1 }), false},
		"bytes, the most":             {in(func(i *rtcstats.Inbound) { i.BytesReceived = rtcstats.MaxCount }), true},
		"bytes, one more":             {in(func(i *rtcstats.Inbound) { i.BytesReceived = rtcstats.MaxCount + 1 }), false},
		"jitter, the most":            {in(func(i *rtcstats.Inbound) { i.Jitter = rtcstats.MaxDelay }), true},
		"jitter, more":                {in(func(i *rtcstats.Inbound) { i.Jitter = math.Nextafter(rtcstats.MaxDelay, 100) }), false},
		"jitter, infinite":            {in(func(i *rtcstats.Inbound) { i.Jitter = math.Inf(1) }), false},
		"level 1":                     {in(func(i *rtcstats.Inbound) { i.AudioLevel = new(1.0) }), true},
		"level above 1":               {in(func(i *rtcstats.Inbound) { i.AudioLevel = new(1.01) }), false},
		"buffer delay, the most":      {in(func(i *rtcstats.Inbound) { i.JitterBufferDelay = new(float64(rtcstats.MaxTotal)) }), true},
		"buffer delay, more":          {in(func(i *rtcstats.Inbound) { i.JitterBufferDelay = new(rtcstats.MaxTotal + 1.0) }), false},
		"an optional counter below 0": {in(func(i *rtcstats.Inbound) { i.ConcealedSamples = new(int64(-1)) }), false},
		"id, the longest":             {in(func(i *rtcstats.Inbound) { i.ID = strings.Repeat("x", rtcstats.MaxText) }), true},
		"id, one longer":              {in(func(i *rtcstats.Inbound) { i.ID = strings.Repeat("x", rtcstats.MaxText+1) }), false},
		"echo loss below 0":           {func(s *rtcstats.Sample) { s.MediaSource.EchoReturnLoss = new(-30.0) }, true},
		"echo loss beyond all":        {func(s *rtcstats.Sample) { s.MediaSource.EchoReturnLoss = new(-rtcstats.MaxDecibel - 1.0) }, false},
		"fraction above 1":            {func(s *rtcstats.Sample) { s.RemoteInbound.FractionLost = new(1.5) }, false},
		"ping below 0":                {func(s *rtcstats.Sample) { s.Ping = &rtcstats.Ping{TotalRoundTripTime: -1} }, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := sample(t, "chromium-1")
			c.change(&s)
			if err := s.Check(); (err == nil) != c.ok {
				t.Errorf("Check says %v", err)
			}
		})
	}
}

func TestWithoutImplausible(t *testing.T) {
	const far = -65535.99 // s: what a wrapped delay makes of a round trip
	for name, c := range map[string]struct {
		spoil, want func(*rtcstats.Sample)
	}{
		"nothing": {func(*rtcstats.Sample) {}, func(*rtcstats.Sample) {}},
		"an optional figure goes alone": {
			func(s *rtcstats.Sample) {
				s.RemoteInbound.RoundTripTime, s.RemoteInbound.TotalRoundTripTime = new(far), new(far)
			},
			func(s *rtcstats.Sample) {
				s.RemoteInbound.RoundTripTime, s.RemoteInbound.TotalRoundTripTime = nil, nil
			},
		},
		"one that is always there takes its report along": {
			func(s *rtcstats.Sample) { s.Inbound.Jitter, s.Inbound.AudioLevel = math.NaN(), new(2.0) },
			func(s *rtcstats.Sample) { s.Inbound = nil },
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, want := sample(t, "chromium-2"), sample(t, "chromium-2")
			c.spoil(&s)
			c.want(&want)
			was := s.Check()
			got := s.WithoutImplausible()
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if err := got.Check(); err != nil {
				t.Errorf("what is left is refused: %v", err)
			}
			if is := s.Check(); (is == nil) != (was == nil) {
				t.Errorf("the sample itself was changed: Check said %v, and now %v", was, is)
			}
		})
	}
}

// No number of a sample goes unchecked, whatever is added to it.
func TestCheckLooksAtEveryNumber(t *testing.T) {
	looked := 0
	of := reflect.TypeFor[rtcstats.Sample]()
	for i := range of.NumField() {
		if of.Field(i).Type.Kind() != reflect.Pointer {
			continue
		}
		part := of.Field(i).Type.Elem()
		for j := range part.NumField() {
			s := rtcstats.Sample{Timestamp: 1}
			v := reflect.New(part)
			reflect.ValueOf(&s).Elem().Field(i).Set(v)
			field := v.Elem().Field(j)
			if field.Kind() == reflect.Pointer {
				field.Set(reflect.New(field.Type().Elem()))
				field = field.Elem()
			}
			if err := s.Check(); err != nil {
				t.Errorf("%s.%s of nothing: %v", part.Name(), part.Field(j).Name, err)
			}
			switch field.Kind() {
			case reflect.Float64:
				field.SetFloat(math.NaN())
			case reflect.Int64:
				field.SetInt(math.MaxInt64)
			case reflect.String:
				field.SetString(strings.Repeat("x", rtcstats.MaxText+1))
			default:
				continue
			}
			looked++
			if s.Check() == nil {
				t.Errorf("%s.%s is not looked at", part.Name(), part.Field(j).Name)
			}
		}
	}
	if looked < 60 {
		t.Errorf("looked at %d fields", looked)
	}
}
