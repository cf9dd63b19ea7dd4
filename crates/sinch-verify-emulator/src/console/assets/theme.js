// Light and dark colours: the preference of the system, or the choice of the user.

import { el, icon } from './dom.js';

const dark = matchMedia('(prefers-color-scheme: dark)');

function isDark() {
  return (localStorage.getItem('theme') ?? (dark.matches ? 'dark' : 'light')) === 'dark';
}

/** Applies the theme. Runs before the first paint. */
export function apply() {
  document.documentElement.dataset.theme = isDark() ? 'dark' : 'light';
}

/** Switches the theme. The choice is stored while it differs from the system's preference. */
export function toggle() {
  const wanted = isDark() ? 'light' : 'dark';
  if ((wanted === 'dark') === dark.matches) localStorage.removeItem('theme');
  else localStorage.setItem('theme', wanted);
  apply();
}

/** The button that switches the theme. */
export function themeButton() {
  const button = el('button', { class: 'icon-only', onclick: toggle });
  const draw = () => {
    const label = isDark() ? 'Light colours' : 'Dark colours';
    button.replaceChildren(icon(isDark() ? 'sun' : 'moon'));
    button.setAttribute('aria-label', label);
    button.title = label;
  };
  dark.addEventListener('change', apply);
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ['data-theme'] });
  draw();
  return button;
}
