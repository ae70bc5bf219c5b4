// Lucide, inlined: one set, 16 px, a name for screen readers or hidden from them.
import book from "lucide-static/icons/book-open.svg";
import bot from "lucide-static/icons/bot.svg";
import box from "lucide-static/icons/box.svg";
import check from "lucide-static/icons/check.svg";
import chevron from "lucide-static/icons/chevron-right.svg";
import clock from "lucide-static/icons/clock.svg";
import eye from "lucide-static/icons/eye.svg";
import hand from "lucide-static/icons/hand.svg";
import down from "lucide-static/icons/arrow-down.svg";
import file from "lucide-static/icons/file.svg";
import folder from "lucide-static/icons/folder.svg";
import branch from "lucide-static/icons/git-branch.svg";
import globe from "lucide-static/icons/globe.svg";
import key from "lucide-static/icons/key-round.svg";
import list from "lucide-static/icons/list-checks.svg";
import message from "lucide-static/icons/message-square.svg";
import notebook from "lucide-static/icons/notebook.svg";
import panel from "lucide-static/icons/panel-right.svg";
import menu from "lucide-static/icons/panel-left.svg";
import pencil from "lucide-static/icons/pencil.svg";
import plug from "lucide-static/icons/plug.svg";
import plus from "lucide-static/icons/plus.svg";
import play from "lucide-static/icons/play.svg";
import search from "lucide-static/icons/search.svg";
import send from "lucide-static/icons/arrow-up.svg";
import settings from "lucide-static/icons/settings-2.svg";
import shield from "lucide-static/icons/shield-check.svg";
import shieldDown from "lucide-static/icons/shield-off.svg";
import shieldPart from "lucide-static/icons/shield-alert.svg";
import square from "lucide-static/icons/square.svg";
import terminal from "lucide-static/icons/terminal.svg";
import trash from "lucide-static/icons/trash-2.svg";
import triangle from "lucide-static/icons/triangle-alert.svg";
import wrench from "lucide-static/icons/wrench.svg";
import x from "lucide-static/icons/x.svg";
import coins from "lucide-static/icons/coins.svg";
import copy from "lucide-static/icons/copy.svg";
import download from "lucide-static/icons/download.svg";
import fold from "lucide-static/icons/fold-vertical.svg";
import fork from "lucide-static/icons/git-fork.svg";
import history from "lucide-static/icons/history.svg";
import more from "lucide-static/icons/ellipsis.svg";
import pack from "lucide-static/icons/package.svg";
import pin from "lucide-static/icons/pin.svg";
import pinOff from "lucide-static/icons/pin-off.svg";
import slash from "lucide-static/icons/square-slash.svg";
import sparkles from "lucide-static/icons/sparkles.svg";
import upload from "lucide-static/icons/upload.svg";
import users from "lucide-static/icons/users.svg";

const icons = { book, bot, box, branch, check, chevron, clock, down, eye, file, folder, globe, hand, key, list, menu, message, notebook, panel, pencil, plug, plus, play, search, send, settings, shield, shieldDown, shieldPart, square,
    terminal, trash, triangle, wrench, x,
    coins, copy, download, fold, fork, history, more, pack, pin, pinOff, slash, sparkles, upload, users };
export type IconName = keyof typeof icons;
const inner = Object.fromEntries(Object.entries(icons).map(([name, svg]) => [name, svg.replace(/^[\s\S]*?<svg[^>]*>|<\/svg>\s*$/g, "")]));

export function Icon({ name, label, size = 16 }: { name: IconName; label?: string; size?: number }) {
    return <svg class="icon" width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"
        stroke-linejoin="round" role={label ? "img" : undefined} aria-label={label} aria-hidden={label ? undefined : "true"}
        dangerouslySetInnerHTML={{ __html: inner[name]! }} />;
}
