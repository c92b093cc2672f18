import { Health } from "./health.tsx";
import { VIEW_NAMES, VIEWS, type View } from "./route.ts";
import { ThemeChoice } from "./theme.tsx";

interface Props {
  readonly view: View;
  readonly onKey: () => void;
}

export function Header({ view, onKey }: Props) {
  return (
    <>
      {/* No link: the address names the view, and is to go on doing so. */}
      <button type="button" class="skip" onClick={() => document.getElementById("main")?.focus()}>
        Skip to the content
      </button>
      <header>
        <p class="name">
          <Mark />
          Sentiment Analyzer <span>Pro</span>
        </p>
        <nav aria-label="Views">
          <ul>
            {VIEWS.map((one) => (
              <li key={one}>
                <a href={`#${one}`} aria-current={one === view ? "page" : undefined}>
                  {VIEW_NAMES[one]}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <div class="tools">
          <Health />
          <button type="button" onClick={onKey}>
            Key
          </button>
          <ThemeChoice />
        </div>
      </header>
    </>
  );
}

/** As the icon of the page. */
function Mark() {
  return (
    <svg viewBox="5 6 22 20" width="1.25em" height="1.25em" aria-hidden="true">
      <path d="M16 6v20" class="axis" />
      <rect x="18" y="9" width="9" height="5" rx="1.5" class="positive" />
      <rect x="5" y="18" width="9" height="5" rx="1.5" class="negative" />
    </svg>
  );
}
