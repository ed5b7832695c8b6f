import { Title } from '../../app/Title';
import { useMay } from '../../app/workspace';
import { useMessages } from '../../i18n/catalogue';
import { Stack } from '../../ui/Stack';
import { Files } from './Files';
import { MESSAGES } from './messages';
import { Schedules } from './Schedules';
import { Start } from './Start';

export default function Exports() {
  const t = useMessages(MESSAGES);
  const mayExport = useMay('ANALYST');
  const maySchedule = useMay('ADMIN');
  return (
    <>
      <Title>{t.title}</Title>
      <Stack>
        {mayExport && <Start />}
        <Files />
        {maySchedule && <Schedules />}
      </Stack>
    </>
  );
}
