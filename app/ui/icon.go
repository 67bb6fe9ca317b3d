package ui

import "github.com/maxence-charriere/go-app/v10/pkg/app"

// IconName names one of our own line drawings: 24 × 24 grid, 2 px round
// strokes in the colour of the text beside it.
type IconName string

// The icons.
const (
	IconMic        IconName = "mic"
	IconMicOff     IconName = "mic-off"
	IconPhone      IconName = "phone"
	IconPhoneOff   IconName = "phone-off"
	IconSpeaker    IconName = "speaker"
	IconSpeakerOff IconName = "speaker-off"
	IconHeadphones IconName = "headphones"
	IconSettings   IconName = "settings"
	IconKeyboard   IconName = "keyboard"
	IconOffline    IconName = "wifi-off"
	IconActivity   IconName = "activity"
	IconClock      IconName = "clock"
	IconShield     IconName = "shield-check"
	IconLock       IconName = "lock"
	IconEye        IconName = "eye"
	IconUsers      IconName = "users"
	IconList       IconName = "list"
	IconOverview   IconName = "overview"
	IconFilter     IconName = "filter"
	IconSearch     IconName = "search"
	IconDownload   IconName = "download"
	IconCopy       IconName = "copy"
	IconLink       IconName = "link"
	IconPause      IconName = "pause"
	IconPlay       IconName = "play"
	IconRefresh    IconName = "refresh"
	IconBell       IconName = "bell"
	IconAlert      IconName = "alert"
	IconInfo       IconName = "info"
	IconCheck      IconName = "check"
	IconClose      IconName = "x"
	IconChevron    IconName = "chevron"
	IconMore       IconName = "more"
	IconServer     IconName = "server"
	IconPower      IconName = "power"
	IconMoon       IconName = "moon"
	IconSun        IconName = "sun"
	IconContrast   IconName = "contrast"
	IconLogOut     IconName = "log-out"
	IconGauge      IconName = "gauge"
	IconCaptions   IconName = "captions"
	IconThumbUp    IconName = "thumb-up"
	IconThumbDown  IconName = "thumb-down"
	IconHistory    IconName = "history"
	IconNodes      IconName = "nodes"
	IconShare      IconName = "share"
)

// drawings holds the path of each icon. Nothing writes to it.
var drawings = map[IconName]string{
	IconThumbUp:    "M7 11v9H4v-9zM7 11l4-7.5a2.4 2.4 0 0 1 2.4 2.9L13 9.5h5.6a2 2 0 0 1 2 2.3l-1.1 6.5a2 2 0 0 1-2 1.7H7",
	IconThumbDown:  "M7 13V4H4v9zM7 13l4 7.5a2.4 2.4 0 0 0 2.4-2.9l-.4-3.1h5.6a2 2 0 0 0 2-2.3l-1.1-6.5a2 2 0 0 0-2-1.7H7",
	IconHistory:    "M4 5.5V10h4.5M4.6 10a8 8 0 1 1-.6 3M12 8v4.5l3 1.8",
	IconNodes:      "M12 4a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5zM5.5 15a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5zM18.5 15a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5zM10.6 8.6l-3.7 6.8M13.4 8.6l3.7 6.8M8 17.5h8",
	IconShare:      "M12 14.5v-11M8 7l4-4 4 4M8.5 10H6v10.5h12V10h-2.5",
	IconMic:        "M12 3.5a3 3 0 0 1 3 3V11a3 3 0 0 1-6 0V6.5a3 3 0 0 1 3-3zM5.5 11a6.5 6.5 0 0 0 13 0M12 17.5v3",
	IconMicOff:     "M9 9.2V11a3 3 0 0 0 4.5 2.6M15 10.8V6.5a3 3 0 0 0-5.7-1.3M5.5 11a6.5 6.5 0 0 0 9.7 5.7M18.5 11a6.5 6.5 0 0 1-.8 3.1M12 17.5v3M4 3.5l16 17",
	IconPhone:      "M6.2 4h2.6a1.4 1.4 0 0 1 1.4 1.1l.6 2.7a1.4 1.4 0 0 1-.4 1.3L9 10.5A12 12 0 0 0 13.5 15l1.4-1.4a1.4 1.4 0 0 1 1.3-.4l2.7.6a1.4 1.4 0 0 1 1.1 1.4v2.6a1.6 1.6 0 0 1-1.7 1.6A14.7 14.7 0 0 1 4.6 5.7 1.6 1.6 0 0 1 6.2 4z",
	IconPhoneOff:   "M3 15.2v-1.4a1.8 1.8 0 0 1 1-1.6 18 18 0 0 1 16 0 1.8 1.8 0 0 1 1 1.6v1.4a1.4 1.4 0 0 1-1.7 1.4l-2.6-.5a1.4 1.4 0 0 1-1.1-1.3v-1.5a12.6 12.6 0 0 0-7.2 0v1.5a1.4 1.4 0 0 1-1.1 1.3l-2.6.5A1.4 1.4 0 0 1 3 15.2z",
	IconSpeaker:    "M4 9.5v5h3.5l4.5 4v-13l-4.5 4zM15.5 9a4.2 4.2 0 0 1 0 6M18.3 6.2a8.2 8.2 0 0 1 0 11.6",
	IconSpeakerOff: "M4 9.5v5h3.5l4.5 4v-13l-4.5 4zM16 9.5l5 5M21 9.5l-5 5",
	IconHeadphones: "M4 14.5V12a8 8 0 0 1 16 0v2.5M4 14.5h2.5a1 1 0 0 1 1 1V18a1 1 0 0 1-1 1h-1A1.5 1.5 0 0 1 4 17.5zM20 14.5h-2.5a1 1 0 0 0-1 1V18a1 1 0 0 0 1 1h1a1.5 1.5 0 0 0 1.5-1.5z",
	IconSettings:   "M4 7h9M17 7h3M4 17h3M11 17h9M15 5v4M9 15v4",
	IconKeyboard:   "M4.5 6.5h15A1.5 1.5 0 0 1 21 8v8a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 16V8a1.5 1.5 0 0 1 1.5-1.5zM7 10h.01M10.4 10h.01M13.7 10h.01M17 10h.01M8 14h8",
	IconOffline:    "M12 18.5h.01M8.8 15a4.6 4.6 0 0 1 6.4 0M5.7 11.8a9 9 0 0 1 4-2.3M14.5 9.5a9 9 0 0 1 3.8 2.3M3 8.6a13 13 0 0 1 3.8-2.4M10.8 5.2A13 13 0 0 1 21 8.6M4 3.5l16 17",
	IconActivity:   "M3 12h4l2.5-6.5 5 13L17 12h4",
	IconClock:      "M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17zM12 7.5V12l3 2",
	IconShield:     "M12 3.2l7 2.6v5.6c0 4.3-2.9 7.6-7 9.4-4.1-1.8-7-5.1-7-9.4V5.8zM8.8 11.8l2.3 2.3 4.3-4.4",
	IconLock:       "M6.5 10.5h11a1 1 0 0 1 1 1V19a1 1 0 0 1-1 1h-11a1 1 0 0 1-1-1v-7.5a1 1 0 0 1 1-1zM8.5 10.5V7.8a3.5 3.5 0 0 1 7 0v2.7",
	IconEye:        "M2.5 12S6 5.8 12 5.8s9.5 6.2 9.5 6.2-3.5 6.2-9.5 6.2S2.5 12 2.5 12zM12 9.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6z",
	IconUsers:      "M9 4.8a3.4 3.4 0 1 1 0 6.8 3.4 3.4 0 0 1 0-6.8zM2.8 19.5v-1a4.6 4.6 0 0 1 4.6-4.6h3.2a4.6 4.6 0 0 1 4.6 4.6v1M16 5a3.4 3.4 0 0 1 0 6.4M18.2 14.3a4.6 4.6 0 0 1 3 4.2v1",
	IconList:       "M8.5 6.5H20M8.5 12H20M8.5 17.5H20M4.5 6.5h.01M4.5 12h.01M4.5 17.5h.01",
	IconOverview:   "M4 4.5h6.5V11H4zM13.5 4.5H20v4h-6.5zM13.5 12H20v7.5h-6.5zM4 14.5h6.5v5H4z",
	IconFilter:     "M4 5.5h16l-6.2 7.3v5.7l-3.6-1.8v-3.9z",
	IconSearch:     "M11 4.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM15.8 15.8L20 20",
	IconDownload:   "M12 4v11M7.5 11l4.5 4.5 4.5-4.5M4.5 19.5h15",
	IconCopy:       "M9 8.5h9.5a1 1 0 0 1 1 1V19a1 1 0 0 1-1 1H9a1 1 0 0 1-1-1V9.5a1 1 0 0 1 1-1zM16 8.5V5a1 1 0 0 0-1-1H5.5a1 1 0 0 0-1 1v9.5a1 1 0 0 0 1 1H8",
	IconLink:       "M10 13.8a4 4 0 0 0 5.7.2l3-3A4 4 0 0 0 13 5.3l-1.4 1.4M14 10.2a4 4 0 0 0-5.7-.2l-3 3a4 4 0 0 0 5.7 5.7l1.4-1.4",
	IconPause:      "M8.5 5.5v13M15.5 5.5v13",
	IconPlay:       "M7.5 5v14l11.5-7z",
	IconRefresh:    "M19.5 12a7.5 7.5 0 0 1-13.4 4.6M4.5 12a7.5 7.5 0 0 1 13.4-4.6M18.5 3.5v4.4h-4.4M5.5 20.5v-4.4h4.4",
	IconBell:       "M12 3.8a5.6 5.6 0 0 1 5.6 5.6c0 5 2 6.4 2 6.4H4.4s2-1.4 2-6.4A5.6 5.6 0 0 1 12 3.8zM10 19a2.2 2.2 0 0 0 4 0",
	IconAlert:      "M12 4l9 15.5H3zM12 10v4M12 16.8h.01",
	IconInfo:       "M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17zM12 11v5M12 8h.01",
	IconCheck:      "M4.5 12.5l5 5 10-11",
	IconClose:      "M6 6l12 12M18 6L6 18",
	IconChevron:    "M9.5 5.5L16 12l-6.5 6.5",
	IconMore:       "M5.5 12h.01M12 12h.01M18.5 12h.01",
	IconServer:     "M5 4.5h14a1 1 0 0 1 1 1V10a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V5.5a1 1 0 0 1 1-1zM5 13h14a1 1 0 0 1 1 1v4.5a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V14a1 1 0 0 1 1-1zM7.5 7.8h.01M7.5 16.2h.01",
	IconPower:      "M12 3.5v8M7.2 6.3a7.5 7.5 0 1 0 9.6 0",
	IconMoon:       "M19.8 14.2A8.2 8.2 0 0 1 9.8 4.2a8.2 8.2 0 1 0 10 10z",
	IconSun:        "M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4",
	IconContrast:   "M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17zM12 3.5v17M15.2 4.5v15M18.2 7v10",
	IconLogOut:     "M14.5 4.5H18A1.5 1.5 0 0 1 19.5 6v12a1.5 1.5 0 0 1-1.5 1.5h-3.5M10 16l-4.5-4L10 8M5.5 12h10",
	IconCaptions:   "M4.5 6h15A1.5 1.5 0 0 1 21 7.5v9a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 16.5v-9A1.5 1.5 0 0 1 4.5 6zM10.8 10.6a2 2 0 1 0 0 2.8M17 10.6a2 2 0 1 0 0 2.8",
	IconGauge:      "M5.2 18a9 9 0 1 1 13.6 0M12 13l4-4.5",
}

// Icon draws one icon. It is hidden from screen readers: the text or label of
// what carries it says the same.
func Icon(name IconName) app.UI {
	return SVG("svg").Class("icon").
		Attr("viewBox", "0 0 24 24").
		Aria("hidden", true).
		Attr("focusable", "false").
		Body(Path("", drawings[name]))
}

// Mark is Parley's sign: two voices over one line.
func Mark() app.UI {
	return SVG("svg").Class("mark").
		Attr("viewBox", "0 0 24 24").
		Aria("hidden", true).
		Attr("focusable", "false").
		Body(
			Path("mark-outer", "M3.5 16.5a8.5 8.5 0 0 1 17 0"),
			Path("mark-inner", "M8 16.5a4 4 0 0 1 8 0"),
			Path("mark-line", "M3.5 20h17"),
		)
}

// Brand is the mark with the name.
func Brand() app.UI {
	return app.Span().Class("brand").Body(Mark(), app.Span().Class("brand-name").Text("Parley"))
}
