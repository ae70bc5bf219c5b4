// Light, dark, or as the system says. Kept in this browser only.
export type Theme = "system" | "light" | "dark";

export function theme(): Theme {
    const saved = localStorage.getItem("theme");
    return saved === "light" || saved === "dark" ? saved : "system";
}

export function setTheme(next: Theme): void {
    if (next === "system") localStorage.removeItem("theme");
    else localStorage.setItem("theme", next);
    applyTheme();
}

export function applyTheme(): void {
    const wanted = theme();
    if (wanted === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = wanted;
}
