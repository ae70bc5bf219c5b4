// Says what Open-Meteo's JSON means: report.js JSON [DAYS]. `current` becomes a line, `daily` a table of at most DAYS rows.
const SKY = {
  0: "clear", 1: "mostly clear", 2: "partly cloudy", 3: "overcast", 45: "fog", 48: "freezing fog",
  51: "light drizzle", 53: "drizzle", 55: "heavy drizzle", 56: "light freezing drizzle", 57: "freezing drizzle",
  61: "light rain", 63: "rain", 65: "heavy rain", 66: "light freezing rain", 67: "freezing rain",
  71: "light snow", 73: "snow", 75: "heavy snow", 77: "snow grains", 80: "light showers", 81: "showers",
  82: "violent showers", 85: "light snow showers", 86: "snow showers", 95: "thunderstorm",
  96: "thunderstorm with hail", 99: "thunderstorm with heavy hail",
};
const WINDS = ["N", "NE", "E", "SE", "S", "SW", "W", "NW"];

const sky = (code) => SKY[code] ?? `unknown sky (code ${code})`;
const wind = (degrees) => WINDS[Math.round((((degrees % 360) + 360) % 360) / 45) % 8];
const value = (x, unit) => (x === null || x === undefined ? "?" : `${x}${unit ?? ""}`);

function now({ current: c, current_units: u = {} }) {
  const parts = [`${sky(c.weather_code)}, ${value(c.temperature_2m, u.temperature_2m)}`];
  if (c.apparent_temperature !== undefined) parts.push(`feels like ${value(c.apparent_temperature, u.apparent_temperature)}`);
  if (c.relative_humidity_2m !== undefined) parts.push(`humidity ${value(c.relative_humidity_2m, u.relative_humidity_2m)}`);
  if (c.precipitation !== undefined) parts.push(`precipitation ${value(c.precipitation, ` ${u.precipitation ?? "mm"}`)}`);
  if (c.wind_speed_10m !== undefined)
    parts.push(`wind ${value(c.wind_speed_10m, ` ${u.wind_speed_10m ?? "km/h"}`)}` +
               (c.wind_direction_10m === undefined ? "" : ` from ${wind(c.wind_direction_10m)}`));
  return `${parts.join("; ")} (measured ${c.time ?? "at an unknown time"})`;
}

function days({ daily: d, daily_units: u = {} }, most) {
  const rows = d.time.slice(0, most).map((day, i) =>
    `| ${day} | ${sky(d.weather_code?.[i])} | ${value(d.temperature_2m_min?.[i])} to ${value(d.temperature_2m_max?.[i], u.temperature_2m_max)} | ` +
    `${value(d.precipitation_sum?.[i], ` ${u.precipitation_sum ?? "mm"}`)} (${value(d.precipitation_probability_max?.[i], "%")}) | ` +
    `${value(d.wind_speed_10m_max?.[i], ` ${u.wind_speed_10m_max ?? "km/h"}`)} |`);
  return ["| day | sky | temperature | rain (chance) | wind up to |", "|---|---|---|---|---|", ...rows].join("\n");
}

const [text, most] = process.argv.slice(2);
let data;
try {
  data = JSON.parse(text ?? "");
} catch {
  console.error("The first argument must be the JSON that the weather service sent.");
  process.exit(2);
}
if (data.error) {
  console.error(`The weather service refused: ${data.reason ?? "no reason given"}`);
  process.exit(1);
} else if (!data.current && !data.daily?.time) {
  console.error("This JSON has neither `current` nor `daily`: check the URL of the request.");
  process.exit(1);
}
if (data.current) console.log(now(data));
if (data.daily?.time) console.log(days(data, Math.max(1, Math.min(16, Number(most) || 16))));
