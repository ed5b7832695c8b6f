import encodeQR from 'qr';
import styles from './QrCode.module.css';

/** As dark squares on white in both themes, which all cameras read; drawn here, so that nobody else hears of it. */
export default function QrCode({ text, label }: { text: string; label: string }) {
  const rows = encodeQR(text, 'raw', { ecc: 'medium', border: 4 });
  const path = rows.flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : ''))).join('');
  return (
    <svg className={styles.code} viewBox={`0 0 ${rows.length} ${rows.length}`} role="img" aria-label={label}>
      <rect className={styles.paper} width="100%" height="100%" />
      <path className={styles.ink} d={path} shapeRendering="crispEdges" />
    </svg>
  );
}
