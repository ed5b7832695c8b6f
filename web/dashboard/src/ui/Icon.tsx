/** Drawn on a grid of 20 with round ends, as strokes of the text's colour. */
const PATHS = {
  pulse: 'M2 10h3.5l2-5 4 10 2.2-5H18',
  inbox: 'M3 11.5 5 4h10l2 7.5V16H3zM3 11.5h4l1 2h4l1-2h4',
  bell: 'M5 14V9a5 5 0 0 1 10 0v5l1.5 1h-13zM8.5 17.5h3',
  import: 'M10 3v9m-3.5-3.5L10 12l3.5-3.5M3.5 13v3.5h13V13',
  export: 'M10 12V3M6.5 6.5 10 3l3.5 3.5M3.5 13v3.5h13V13',
  chart: 'M3.5 16.5v-6m4.3 6v-11m4.4 11v-8m4.3 8V4',
  people:
    'M7.5 9.5a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6M2.5 16.5c0-2.8 2-4.5 5-4.5s5 1.7 5 4.5M13 4.3a2.6 2.6 0 0 1 0 5M14.5 12.3c1.8.5 3 2 3 4.2',
  key: 'M7 13.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7M10.5 10H18v3m-3.2-3v2.2',
  plug: 'M7 3v4m6-4v4M5 7h10v3a5 5 0 0 1-10 0zM10 15v2.5',
  hook: 'M10 3v9.5a3 3 0 1 1-6 0V11m9 1a3 3 0 1 0 0-6 3 3 0 0 0 0 6',
  clock: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14m0-11v4l2.5 2',
  stack: 'm10 3 7 3.5-7 3.5-7-3.5zM3 10l7 3.5 7-3.5M3 13.5 10 17l7-3.5',
  shield: 'M10 2.8 16 5v5c0 3.6-2.5 6-6 7.2C6.500 16 4 13.600 4 10V5zM7.500 10l1.800 1.800 3.400-3.600',
  scroll: 'M5.500 3h9v14l-2.250-1.500L10 17l-2.250-1.500L5.500 17zM8 7h4m-4 3h4',
  gauge: 'M4 15.500a7 7 0 1 1 12 0M10 11l3-4',
  person: 'M10 10a3.200 3.200 0 1 0 0-6.400A3.200 3.200 0 0 0 10 10M4 17c0-3.200 2.400-5 6-5s6 1.800 6 5',
  handshake:
    'm2.500 6 3-1.500L10 6l4.500-1.500 3 1.500v6L15 13.500 10.500 17 5 13.500 2.500 12zM10 6 7.500 9.500c1.200 1 2.500.800 3.500-.500l4 4',
  trash: 'M4 5.500h12M8 5.500V3.500h4v2M5.500 5.500 6.200 17h7.600l.7-11.500M8.500 8.500v5m3-5v5',
  plus: 'M10 4v12M4 10h12',
  check: 'm4 10.500 4 4 8-9',
  cross: 'm5 5 10 10M15 5 5 15',
  menu: 'M3 5.500h14M3 10h14M3 14.500h14',
  chevron: 'm6 8 4 4 4-4',
  search: 'M9 14.500a5.500 5.500 0 1 0 0-11 5.500 5.500 0 0 0 0 11m4-1.500 4 4',
  warning: 'M10 3 2.500 16.500h15zM10 8v4m0 2.200v.300',
  copy: 'M7 7V3.500h9.500V13H13M3.500 7H13v9.500H3.500z',
  exit: 'M12 3.500H4v13h8M8.500 10H17m-3-3 3 3-3 3',
  sun: 'M10 13.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7M10 2v1.500m0 13V18m8-8h-1.500m-13 0H2m13.700-5.700-1.100 1.100M5.400 14.600l-1.100 1.100m11.400 0-1.100-1.100M5.400 5.400 4.300 4.300',
  moon: 'M16.500 12A7 7 0 0 1 8 3.500a7 7 0 1 0 8.500 8.500',
  tag: 'M3.500 3.500H10l6.500 6.500-6.500 6.500L3.500 10zM7 7v.100',
  filter: 'M3 4.500h14L11.500 11v5.500l-3-1.500v-4z',
  mail: 'M3 5h14v10.500H3zM3.500 5.500 10 11l6.500-5.500',
  more: 'M4.500 10v.100M10 10v.100m5.500-.100v.100',
} as const;

export type IconName = keyof typeof PATHS;

interface Props {
  name: IconName;
  size?: number;
}

/** A picture beside words: what it means must be said by these, or by the button's label. */
export function Icon({ name, size = 20 }: Props) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
