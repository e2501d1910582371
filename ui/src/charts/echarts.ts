/** Only the parts of ECharts that are drawn here; this module is loaded when the first chart is. */
import { BarChart } from "echarts/charts";
import { GridComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import { init, use as register } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

register([BarChart, GridComponent, MarkLineComponent, TooltipComponent, CanvasRenderer]);

export { init };
